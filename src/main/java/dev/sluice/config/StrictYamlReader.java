package dev.sluice.config;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

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
 * custom tags are rejected: rules do not need them, and they let a small file expand to a huge document. Files of other programs may
 * contain aliases, merge keys ({@code <<}) and missing values; what they expand to is bounded.
 */
final class StrictYamlReader {

    private static final int MAX_SCALAR_LENGTH = 4096;
    private static final int MAX_DEPTH = 20;
    private static final int MAX_FOREIGN_DEPTH = 50;
    private static final int MAX_ALIASES = 1000;
    private static final int MAX_NODES = 200_000;
    private static final String MERGE_KEY = "<<";
    private static final String QUOTE_MARK = "; put a value that begins with '!' in quotes, such as '!5xx'";
    /** An exclamation mark that may begin a value. In a list without quotes, YAML takes what follows for the tag, up to a space. */
    private static final Pattern MARK = Pattern.compile("[\\[,:-]\\s*!");
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Set<Node> visited = Collections.newSetFromMap(new IdentityHashMap<>());

    /** True if the file has the format of another program. */
    private final boolean foreign;
    private int nodes;
    private int depth;

    private StrictYamlReader(boolean foreign) {
        this.foreign = foreign;
    }

    static ConfigNode read(byte[] content) throws InvalidRulesFileException {
        return read(content, false);
    }

    /** Parses a file that is written for another program. */
    static ConfigNode readForeign(byte[] content) throws InvalidRulesFileException {
        return read(content, true);
    }

    private static ConfigNode read(byte[] content, boolean foreign) throws InvalidRulesFileException {
        var text = text(content);
        var options = new LoaderOptions();
        options.setNestingDepthLimit(foreign ? MAX_FOREIGN_DEPTH : MAX_DEPTH);
        options.setMaxAliasesForCollections(foreign ? MAX_ALIASES : 0);
        try {
            var root = new Composer(new ParserImpl(new StreamReader(text), options), new Resolver(), options).getSingleNode();
            if (!(root instanceof MappingNode mapping)) {
                throw new InvalidRulesFileException(text.isBlank() || root == null
                        ? "empty file; use {} for an empty mapping"
                        : "not a YAML mapping");
            }
            return new StrictYamlReader(foreign).convert("", "", mapping);
        } catch (MarkedYAMLException e) {
            // Not e.getMessage(), which quotes lines of the file.
            var mark = e.getProblemMark();
            throw new InvalidRulesFileException(mark == null ? 1 : mark.getLine() + 1,
                    "invalid YAML: " + e.getProblem() + (MARK.matcher(text).find() ? QUOTE_MARK : ""));
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
            if (++depth > MAX_FOREIGN_DEPTH) { // an alias to a mapping that contains it
                throw new InvalidRulesFileException(line(node), "nested more than " + MAX_FOREIGN_DEPTH + " deep");
            }
            var children = Collections.unmodifiableMap(convertEntries(keyPath, mapping));
            depth--;
            return new ConfigNode(key, keyPath, line(node), children);
        }
        if (node instanceof SequenceNode sequence) {
            return new ConfigNode(key, keyPath, line(node), convertItems(keyPath, sequence));
        }
        if (Tag.NULL.equals(node.getTag())) {
            return new ConfigNode(key, keyPath, line(node), foreign ? "" : null);
        }
        return new ConfigNode(key, keyPath, line(node), text(node, ""));
    }

    /** Returns nodes if the list contains mappings, otherwise strings. */
    private List<?> convertItems(String keyPath, SequenceNode sequence) throws InvalidRulesFileException {
        if (sequence.getValue().stream().noneMatch(MappingNode.class::isInstance)) {
            var items = new ArrayList<String>();
            for (var item : sequence.getValue()) {
                rejectAliasAndTag(item);
                items.add(text(item, "an item of a list must be a single value"));
            }
            return items;
        }
        var items = new ArrayList<ConfigNode>();
        for (var item : sequence.getValue()) {
            if (!(item instanceof MappingNode)) {
                throw new InvalidRulesFileException(line(item),
                        "the items of a list must all be mappings, or all single values");
            }
            items.add(convert("", keyPath + '[' + items.size() + ']', item));
        }
        return items;
    }

    /** Adds the entries of a merge key, which those of the mapping itself override. */
    private void merge(String keyPath, Node merged, Map<String, ConfigNode> children) throws InvalidRulesFileException {
        if (merged instanceof SequenceNode sequence) {
            for (var item : sequence.getValue()) {
                merge(keyPath, item, children);
            }
        } else if (merged instanceof MappingNode mapping && ++depth <= MAX_FOREIGN_DEPTH) {
            convertEntries(keyPath, mapping).forEach(children::putIfAbsent);
            depth--;
        } else {
            throw new InvalidRulesFileException(line(merged), "<< must refer to a mapping");
        }
    }

    private Map<String, ConfigNode> convertEntries(String keyPath, MappingNode mapping) throws InvalidRulesFileException {
        var children = new LinkedHashMap<String, ConfigNode>();
        var merged = new ArrayList<Node>();
        for (var pair : mapping.getValue()) {
            rejectAliasAndTag(pair.getKeyNode());
            if (foreign && pair.getKeyNode() instanceof ScalarNode scalar && MERGE_KEY.equals(scalar.getValue())) {
                merged.add(pair.getValueNode());
                continue;
            }
            var key = text(pair.getKeyNode(), "a key must be a single value");
            var childPath = keyPath + (keyPath.isEmpty() ? "" : ".") + quoteIfNeeded(key);
            var child = convert(key, childPath, pair.getValueNode());
            // The line of the key, not that of the value.
            if (children.put(key, new ConfigNode(key, childPath, line(pair.getKeyNode()), child.value())) != null) {
                throw new InvalidRulesFileException(line(pair.getKeyNode()), childPath + " is a duplicate key");
            }
        }
        for (var node : merged) {
            merge(keyPath, node, children);
        }
        return children;
    }

    private static String quoteIfNeeded(String key) {
        return key.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || c == '-' || c == '_'))
                ? key
                : '"' + key + '"';
    }

    private void rejectAliasAndTag(Node node) throws InvalidRulesFileException {
        if (foreign && ++nodes > MAX_NODES) {
            throw new InvalidRulesFileException(line(node), "the file expands to more than " + MAX_NODES + " values");
        }
        if (!visited.add(node) && !foreign) {
            throw new InvalidRulesFileException(line(node), "an alias (*) refers to this value; aliases are not supported");
        }
        if (!node.getTag().startsWith(Tag.PREFIX)) {
            throw new InvalidRulesFileException(line(node), "tags (!) are not supported" + QUOTE_MARK);
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
