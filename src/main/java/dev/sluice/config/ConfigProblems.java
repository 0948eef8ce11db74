package dev.sluice.config;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Fired as an event at start: whoever reads settings adds what is wrong with them, so that all errors are told at once. */
public final class ConfigProblems {

    private final Set<String> lines = new LinkedHashSet<>();
    private final UnaryOperator<String> nameFormat;

    public ConfigProblems() {
        this(UnaryOperator.identity());
    }

    /** @param nameFormat how a property is called in its line */
    public ConfigProblems(UnaryOperator<String> nameFormat) {
        this.nameFormat = nameFormat;
    }

    /**
     * One line: which property, which value, what is allowed.
     *
     * @param value as it was given; "(not shown)" for anything secret
     */
    public void add(String property, String value, String allowed) {
        lines.add(nameFormat.apply(property) + "=" + value + ": " + allowed);
    }

    /** Adds what somebody else found; the same is told once. */
    public void addAll(ConfigProblems others) {
        lines.addAll(others.lines);
    }

    public List<String> lines() {
        return List.copyOf(lines);
    }
}
