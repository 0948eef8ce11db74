package dev.sluice.service.rls;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.sluice.api.Identifiers;
import dev.sluice.identity.Sha256;
import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.rls.DescriptorRule.Option;

/**
 * Rule that applies to a descriptor of a request.
 *
 * @param rule the rule of the node that all entries of the descriptor spell
 * @param identifier owner of the windows: {@code rls:<domain>:key=value|key=value}
 * @param resource name of the windows: the name of the rule, or the keys of its path
 * @param label name for metrics: the resource, with values where the rule asks for them
 */
record DescriptorMatch(DescriptorRule rule, String identifier, String resource, String label) {

    static final String PREFIX = "rls:";
    /** Longer names of domains are replaced by their hash, so that the domain remains a part of its identifiers. */
    private static final int MAX_DOMAIN_LENGTH = 100;

    /** Returns the match of a descriptor; empty if no rule applies. */
    static Optional<DescriptorMatch> find(String domain, DescriptorNode root, RateLimitDescriptor descriptor) {
        var path = new ArrayList<DescriptorNode>(descriptor.getEntriesCount());
        var node = root;
        for (var entry : descriptor.getEntriesList()) {
            var child = node.child(entry.getKey(), entry.getValue());
            if (child.isEmpty()) {
                return Optional.empty();
            }
            node = child.get();
            path.add(node);
        }
        return node.hasLimit() ? Optional.of(of(domain, path, descriptor)) : Optional.empty();
    }

    private static DescriptorMatch of(String domain, List<DescriptorNode> path, RateLimitDescriptor descriptor) {
        var rule = path.get(path.size() - 1).rule();
        var encoded = new StringBuilder();
        var keys = new StringBuilder();
        var detailed = new StringBuilder();
        boolean hasValues = false;
        for (int i = 0; i < path.size(); i++) {
            var node = path.get(i);
            var value = node.sharesWindow() ? node.value() : descriptor.getEntries(i).getValue();
            append(encoded.append(i == 0 ? "" : "|"), node.key());
            append(encoded.append('='), value);
            keys.append(i == 0 ? "" : ".").append(node.key());
            detailed.append(i == 0 ? "" : ".").append(node.key());
            if (rule.has(Option.DETAILED_METRIC) || node.rule().has(Option.VALUE_TO_METRIC)) {
                detailed.append('_').append(value);
                hasValues = true;
            }
        }
        var resource = bounded(rule.name().isEmpty() ? keys.toString() : rule.name());
        return new DescriptorMatch(rule, identifier(domain, encoded.toString()), resource,
                hasValues ? bounded(detailed.toString()) : resource);
    }

    private static String identifier(String domain, String entries) {
        var prefix = PREFIX + (domain.length() > MAX_DOMAIN_LENGTH ? hash(domain) : domain) + ':';
        return prefix.length() + entries.length() <= Identifiers.MAX_LENGTH ? prefix + entries : prefix + hash(entries);
    }

    private static String bounded(String name) {
        return name.length() <= Identifiers.MAX_LENGTH ? name : hash(name);
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
