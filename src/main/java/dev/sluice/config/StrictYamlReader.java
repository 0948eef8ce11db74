package dev.sluice.config;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Parses a rules file. Keys and scalars are strings as written: neither numbers nor {@code on} are converted. Aliases and
 * custom tags are rejected: rules do not need them, and they let a small file expand to a huge document.
 */
final class StrictYamlReader {

    private static final int MAX_SCALAR_LENGTH = 4096;
    private static final int MAX_DEPTH = 20;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Set<Node> visited = Collections.newSetFromMap(new IdentityHashMap<>());

    private StrictYamlReader() {
    }

    static ConfigNode read(byte[] content) throws InvalidRulesFileException {
        var text = text(content);
        var options = new LoaderOptions();
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setMaxAliasesForCollections(0);
        try {
            var root = new Composer(new ParserImpl(new StreamReader(text), options), new Resolver(), options).getSingleNode();
            if (!(root instanceof MappingNode mapping)) {
                throw new InvalidRulesFileException(text.isBlank() || root == null
                        ? "empty file; use {} for an empty mapping"
                        : "not a YAML mapping");
            }
            return new StrictYamlReader().convert("", "", mapping);
        } catch (MarkedYAMLException e) {
            // Not e.getMessage(), which quotes lines of the file.
            var mark = e.getProblemMark();
            throw new InvalidRulesFileException(mark == null ? 1 : mark.getLine() + 1, "invalid YAML: " + e.getProblem());
        } catch (YAMLException e) {
            throw new InvalidRulesFileException("invalid YAML: " + e.getMessage().lines().findFirst().orElse(""));
        }
    }

    private static String text(byte[] content) throws InvalidRulesFileException {
        try {
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
            return !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new InvalidRulesFileException("not encoded in UTF-8");
        }
    }

    private ConfigNode convert(String key, String keyPath, Node node) throws InvalidRulesFileException {
        rejectAliasAndTag(node);
        if (node instanceof MappingNode mapping) {
            return new ConfigNode(key, keyPath, line(node), Collections.unmodifiableMap(convertEntries(keyPath, mapping)));
        }
        if (node instanceof SequenceNode sequence) {
            var items = new ArrayList<String>();
            for (var item : sequence.getValue()) {
                rejectAliasAndTag(item);
                items.add(text(item, "an item of a list must be a single value"));
            }
            return new ConfigNode(key, keyPath, line(node), items);
        }
        if (Tag.NULL.equals(node.getTag())) {
            throw new InvalidRulesFileException(line(node), keyPath + " has no value");
        }
        return new ConfigNode(key, keyPath, line(node), text(node, ""));
    }

    private Map<String, ConfigNode> convertEntries(String keyPath, MappingNode mapping) throws InvalidRulesFileException {
        var children = new LinkedHashMap<String, ConfigNode>();
        for (var pair : mapping.getValue()) {
            rejectAliasAndTag(pair.getKeyNode());
            var key = text(pair.getKeyNode(), "a key must be a single value");
            var childPath = keyPath + (keyPath.isEmpty() ? "" : ".") + quoteIfNeeded(key);
            var child = convert(key, childPath, pair.getValueNode());
            // The line of the key, not that of the value.
            if (children.put(key, new ConfigNode(key, childPath, line(pair.getKeyNode()), child.value())) != null) {
                throw new InvalidRulesFileException(line(pair.getKeyNode()), childPath + " is a duplicate key");
            }
        }
        return children;
    }

    private static String quoteIfNeeded(String key) {
        return key.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || c == '-' || c == '_'))
                ? key
                : '"' + key + '"';
    }

    private void rejectAliasAndTag(Node node) throws InvalidRulesFileException {
        if (!visited.add(node)) {
            throw new InvalidRulesFileException(line(node), "an alias (*) refers to this value; aliases are not supported");
        }
        if (!node.getTag().startsWith(Tag.PREFIX)) {
            throw new InvalidRulesFileException(line(node), "tags (!) are not supported");
        }
    }

    private static String text(Node node, String messageIfNotScalar) throws InvalidRulesFileException {
        if (!(node instanceof ScalarNode scalar)) {
            throw new InvalidRulesFileException(line(node), messageIfNotScalar);
        }
        var text = scalar.getValue();
        if (text.length() > MAX_SCALAR_LENGTH || text.chars().anyMatch(StrictYamlReader::isControlOrLineBreak)) {
            throw new InvalidRulesFileException(line(node),
                    "a value must be a single line of at most " + MAX_SCALAR_LENGTH + " characters without control characters");
        }
        return text;
    }

    private static boolean isControlOrLineBreak(int c) {
        return Character.isISOControl(c) || c == 0x2028 || c == 0x2029;
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }
}
