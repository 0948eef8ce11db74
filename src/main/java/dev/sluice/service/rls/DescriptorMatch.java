package dev.sluice.service.rls;

import java.util.Optional;

import dev.sluice.api.Identifiers;
import dev.sluice.identity.Sha256;
import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.rls.DescriptorRule.Option;

/**
 * Rule that applies to a descriptor of a request.
 *
 * @param node the node that all entries of the descriptor spell; has a rule with a limit
 * @param identifier owner of the windows: {@code rls:<domain>:key=value|key=value}
 * @param resource name of the windows: the name of the rule, or the keys of its path
 * @param label name for metrics: the resource, with values where the rule asks for them
 */
record DescriptorMatch(DescriptorNode node, String identifier, String resource, String label) {

    static final String PREFIX = "rls:";
    /** Longer names of domains are replaced by their hash, so that the domain remains a part of its identifiers. */
    private static final int MAX_DOMAIN_LENGTH = 100;

    /** Returns the match of a descriptor; empty if no rule applies. */
    static Optional<DescriptorMatch> find(String domain, DescriptorNode root, RateLimitDescriptor descriptor) {
        var path = new DescriptorNode[descriptor.getEntriesCount()];
        var node = root;
        for (int i = 0; i < path.length; i++) {
            var entry = descriptor.getEntries(i);
            node = node.child(entry.getKey(), entry.getValue());
            if (node == null) {
                return Optional.empty();
            }
            path[i] = node;
        }
        return node.hasLimit() ? Optional.of(of(domain, path, descriptor)) : Optional.empty();
    }

    private static DescriptorMatch of(String domain, DescriptorNode[] path, RateLimitDescriptor descriptor) {
        var last = path[path.length - 1];
        var encoded = new StringBuilder(64);
        for (int i = 0; i < path.length; i++) {
            append(encoded.append(i == 0 ? "" : "|"), path[i].key());
            append(encoded.append('='), value(path[i], descriptor, i));
        }
        var resource = bounded(last.resource());
        var label = label(path, descriptor);
        return new DescriptorMatch(last, identifier(domain, encoded.toString()), resource,
                label == null ? resource : bounded(label));
    }

    private static String value(DescriptorNode node, RateLimitDescriptor descriptor, int i) {
        return node.sharesWindow() ? node.value() : descriptor.getEntries(i).getValue();
    }

    /** Returns the keys of a path with the values that its rules ask for; null if they ask for none. */
    private static String label(DescriptorNode[] path, RateLimitDescriptor descriptor) {
        boolean all = path[path.length - 1].rule().has(Option.DETAILED_METRIC);
        StringBuilder label = null;
        for (int i = 0; i < path.length; i++) {
            boolean hasValue = all || path[i].rule().has(Option.VALUE_TO_METRIC);
            if (hasValue && label == null) {
                label = new StringBuilder(64);
                for (int before = 0; before < i; before++) {
                    label.append(path[before].key()).append('.');
                }
            }
            if (label != null) {
                label.append(path[i].key());
                if (hasValue) {
                    label.append('_').append(value(path[i], descriptor, i));
                }
                label.append(i == path.length - 1 ? "" : ".");
            }
        }
        return label == null ? null : label.toString();
    }

    DescriptorRule rule() {
        return node.rule();
    }

    private static String identifier(String domain, String entries) {
        var prefix = PREFIX + (domain.length() > MAX_DOMAIN_LENGTH ? hash(domain) : domain) + ':';
        var identifier = prefix + entries;
        return Identifiers.isLonger(identifier, Identifiers.MAX_LENGTH) ? prefix + hash(entries) : identifier;
    }

    private static String bounded(String name) {
        return Identifiers.isLonger(name, Identifiers.MAX_LENGTH) ? hash(name) : name;
    }

    private static String hash(String text) {
        return "sha256:" + Sha256.hex(text);
    }

    /** Encodes the separators, so that different entries have different identifiers. */
    private static void append(StringBuilder encoded, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '|' -> encoded.append("%7C");
                case '=' -> encoded.append("%3D");
                case '%' -> encoded.append("%25");
                default -> encoded.append(c);
            }
        }
    }
}
