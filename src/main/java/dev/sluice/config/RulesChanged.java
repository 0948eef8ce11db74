package dev.sluice.config;

import java.util.ArrayList;
import java.util.List;

/**
 * Fired as an event when the file of rows says something else than before: whoever takes settings from it reads it, adds what
 * is wrong with it, and says how to take it. Either all take it or nobody does.
 */
public final class RulesChanged {

    private final RulesDocument document;
    private final ConfigProblems problems;
    private final List<Runnable> changes = new ArrayList<>();

    RulesChanged(RulesDocument document) {
        this.document = document;
        this.problems = document.newProblems();
    }

    public RulesDocument document() {
        return document;
    }

    /** Adds what is wrong with it. */
    public void addProblems(ConfigProblems others) {
        problems.addAll(others);
    }

    /** @param change puts in force what was read; it must not fail */
    public void onAccepted(Runnable change) {
        changes.add(change);
    }

    List<String> problems() {
        return problems.lines();
    }

    void apply() {
        changes.forEach(Runnable::run);
    }
}
