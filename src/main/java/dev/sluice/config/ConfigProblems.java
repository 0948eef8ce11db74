package dev.sluice.config;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Collector of problems of the configuration. Fired as a CDI event at start, so that all observers report their problems at
 * once.
 */
public final class ConfigProblems {

    private final Set<String> lines = new LinkedHashSet<>();
    private final UnaryOperator<String> nameFormat;

    public ConfigProblems() {
        this(UnaryOperator.identity());
    }

    /** @param nameFormat maps a property to its name in the line */
    public ConfigProblems(UnaryOperator<String> nameFormat) {
        this.nameFormat = nameFormat;
    }

    /**
     * Adds a line that names a property, its value and the allowed values.
     *
     * @param value the value as given; "(not shown)" for a secret
     */
    public void add(String property, String value, String allowed) {
        lines.add(nameFormat.apply(property) + "=" + value + ": " + allowed);
    }

    /** Adds the lines of another collector, except duplicates. */
    public void addAll(ConfigProblems others) {
        lines.addAll(others.lines);
    }

    public List<String> lines() {
        return List.copyOf(lines);
    }
}
