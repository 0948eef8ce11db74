package dev.sluice.config;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Collector of problems of the configuration. Fired as a CDI event at start, so that all observers report their problems at
 * once.
 */
public final class ConfigProblems {

    /**
     * @param name the property, or its place in the rules file
     * @param located whether {@code name} is its place in the rules file
     */
    private record Problem(String name, boolean located, String value, String allowed) {

        @Override
        public String toString() {
            return name + "=" + value + ": " + allowed;
        }

        String describe(SettingSource source) {
            return located ? toString() : source.describe(name) + "=" + source.valueAsSet(name, value) + ": " + allowed;
        }
    }

    private final Set<Problem> problems = new LinkedHashSet<>();
    private final UnaryOperator<String> nameFormat;

    public ConfigProblems() {
        this(UnaryOperator.identity());
    }

    /** @param nameFormat maps a property to its place in the rules file, or to itself if the file does not contain it */
    public ConfigProblems(UnaryOperator<String> nameFormat) {
        this.nameFormat = nameFormat;
    }

    /**
     * Adds a line that names a property, its value and the allowed values.
     *
     * @param value the value as given; "(not shown)" for a secret
     */
    public void add(String property, String value, String allowed) {
        var name = nameFormat.apply(property);
        problems.add(new Problem(name, !name.equals(property), value, allowed));
    }

    /** Adds a line if a duration is shorter than 1 ms or longer than timers allow, about 24 days. */
    public void checkDuration(String property, Duration value) {
        checkDuration(property, value, Duration.ofMillis(Integer.MAX_VALUE), "a duration from 1ms to 24d");
    }

    /**
     * Adds a line if a duration is shorter than 1 ms or longer than a maximum.
     *
     * @param allowed description of the range
     */
    public void checkDuration(String property, Duration value, Duration max, String allowed) {
        if (value.toMillis() < 1 || value.compareTo(max) > 0) {
            add(property, SettingType.format(value), allowed);
        }
    }

    /** Adds the lines of another collector, except duplicates. */
    public void addAll(ConfigProblems others) {
        problems.addAll(others.problems);
    }

    public List<String> lines() {
        return problems.stream().map(Problem::toString).distinct().toList();
    }

    /** Returns the lines, with the places where the settings were set. */
    List<String> lines(SettingSource source) {
        return problems.stream().map(problem -> problem.describe(source)).distinct().toList();
    }
}
