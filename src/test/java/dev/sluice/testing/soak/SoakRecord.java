package dev.sluice.testing.soak;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the responses of a soak, and keeps its failures. */
final class SoakRecord {

    private static final int MAX_FAILURES = 50;

    private final Map<String, AtomicLong> outcomes = new ConcurrentHashMap<>();
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private final AtomicLong ordinary = new AtomicLong();

    /** Counts an ordinary request, or an ordinary WebSocket. */
    void ordinary() {
        ordinary.incrementAndGet();
    }

    long ordinaryRequests() {
        return ordinary.get();
    }

    void count(Object behavior, String outcome) {
        outcomes.computeIfAbsent("| " + behavior + " | " + outcome + " |", key -> new AtomicLong()).incrementAndGet();
    }

    void fail(String failure) {
        if (failures.size() < MAX_FAILURES) {
            failures.add(failure);
        }
    }

    List<String> failures() {
        return failures;
    }

    /** Returns a table of the outcomes of each behavior, in Markdown. */
    String table() {
        var table = new StringBuilder("| upstream | client sees | requests |\n|---|---|---|\n");
        new TreeMap<>(outcomes).forEach((outcome, count) -> table.append(outcome).append(' ').append(count).append(" |\n"));
        return table.toString();
    }
}
