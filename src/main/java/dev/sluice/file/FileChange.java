package dev.sluice.file;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.limit.SettingsProblems;

/**
 * Fired as an event when the file of rows says something else than before: whoever takes settings from it reads it, adds what
 * is wrong with it, and says how to take it. Either all take it or nobody does.
 */
public final class FileChange {

    private final FileContent content;
    private final SettingsProblems problems;
    private final List<Runnable> takers = new ArrayList<>();

    FileChange(FileContent content) {
        this.content = content;
        this.problems = content.problems();
    }

    public FileContent content() {
        return content;
    }

    /** Adds what is wrong with it. */
    public void addAll(SettingsProblems found) {
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
