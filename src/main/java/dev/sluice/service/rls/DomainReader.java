package dev.sluice.service.rls;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

/** Reads domains from a rules file, where they are below {@code domains}, and from files in the format of envoyproxy/ratelimit. */
final class DomainReader {

    private static final String DOMAIN = "domain";
    private static final String DESCRIPTORS = "descriptors";
    private static final Set<String> KEYS = Set.of(DOMAIN, DESCRIPTORS);

    private final ConfigProblems problems;
    private final Map<String, DescriptorNode> domains = new HashMap<>();
    private final Map<String, String> files = new HashMap<>();
    /** Name of the file that is being read. */
    private String file = "";

    /** @param problems receives the problems of all documents */
    DomainReader(ConfigProblems problems) {
        this.problems = problems;
    }

    /** Returns what has been read: the tree of each domain. */
    Map<String, DescriptorNode> domains() {
        return domains;
    }

    /**
     * Reads the domains of a rules file: a mapping of domains to their descriptors, or a list of mappings with {@code domain} and
     * {@code descriptors}.
     */
    void readRules(RulesDocument document) {
        var own = document.newProblems();
        file = document.name();
        document.root().child("domains").ifPresent(domains -> {
            if (domains.isList()) {
                domains.items(own).forEach(item -> readDomain(item, own));
            } else {
                domains.entries(own).forEach((name, node) -> readNamed(name, node, own));
            }
        });
        problems.addAll(own);
    }

    /** Reads the files of envoyproxy/ratelimit, each of which has one domain. */
    void readForeign(List<RulesDocument> documents) {
        for (var document : documents) {
            var own = document.newProblems();
            file = document.name();
            readDomain(document.root(), own);
            problems.addAll(own);
        }
    }

    private void readNamed(String name, ConfigNode node, ConfigProblems own) {
        if (node.isList()) {
            add(name, node, new DescriptorReader(own).read(node), own);
            return;
        }
        node.allowKeys(Set.of(DESCRIPTORS), own);
        add(name, node, node.child(DESCRIPTORS).map(new DescriptorReader(own)::read).orElseGet(DescriptorNode::root), own);
    }

    private void readDomain(ConfigNode node, ConfigProblems own) {
        node.allowKeys(KEYS, own);
        var name = node.string(DOMAIN, own).orElse("");
        if (name.isEmpty()) {
            node.children().findFirst().orElse(node).addProblem(own,
                    "a file or an item needs the name of its domain: domain: ...");
            return;
        }
        add(name, node.child(DOMAIN).orElseThrow(),
                node.child(DESCRIPTORS).map(new DescriptorReader(own)::read).orElseGet(DescriptorNode::root), own);
    }

    private void add(String name, ConfigNode place, DescriptorNode tree, ConfigProblems own) {
        var first = files.putIfAbsent(name, file);
        if (first == null) {
            domains.put(name, tree);
        } else {
            place.addProblem(own, name,
                    "a second domain of this name, which " + first + " has; each domain must be in one file");
        }
    }
}
