package dev.sluice.config;

import java.util.ArrayList;
import java.util.List;

/**
 * Fired as an event when the file of rows says something else than before: whoever takes settings from it reads it, adds what
 * is wrong with it, and says how to take it. Either all take it or nobody does.
 */
public final class RulesChanged {

    private final RulesDocument content;
    private final ConfigProblems problems;
    private final List<Runnable> takers = new ArrayList<>();

    RulesChanged(RulesDocument content) {
        this.content = content;
        this.problems = content.problems();
    }

    public RulesDocument content() {
        return content;
    }

    /** Adds what is wrong with it. */
    public void addAll(ConfigProblems found) {
        problems.addAll(found);
    }

    /** @param taker puts in force what was read; it must not fail */
    public void whenGood(Runnable taker) {
        takers.add(taker);
    }

    List<String> problems() {
        return problems.lines();
    }

    void take() {
        takers.forEach(Runnable::run);
    }
}
