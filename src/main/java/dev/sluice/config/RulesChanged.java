package dev.sluice.config;

import java.util.ArrayList;
import java.util.List;

/**
 * CDI event that is fired when the content of the rules file has changed. Each observer reads its settings from the document,
 * and adds its problems or an action that applies them. The actions run only if no observer reports a problem.
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

    /** Adds the problems that an observer has found. */
    public void addProblems(ConfigProblems others) {
        problems.addAll(others);
    }

    /** @param change applies the settings that were read; must not throw */
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
