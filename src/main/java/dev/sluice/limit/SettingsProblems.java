package dev.sluice.limit;

import java.util.ArrayList;
import java.util.List;

/** Fired as an event at start: whoever reads settings adds what is wrong with them, so that all errors are told at once. */
public final class SettingsProblems {

    private final List<String> lines = new ArrayList<>();

    /**
     * One line: which property, which value, what is allowed.
     *
     * @param value as it was given; "(not shown)" for anything secret
     */
    public void add(String property, String value, String allowed) {
        lines.add(property + "=" + value + ": " + allowed);
    }

    /** Adds what somebody else found. */
    public void addAll(SettingsProblems others) {
        lines.addAll(others.lines);
    }

    public List<String> lines() {
        return List.copyOf(lines);
    }
}
