package dev.sluice.service.traffic;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** Names of counts in Redis. */
final class TrafficFields {

    /** Separates the parts of a name: a control character, which names of tiers and rules do not contain. */
    private static final String SEPARATOR = "\u001f";
    /** Separates the entries of a report. */
    private static final String ENTRY_SEPARATOR = "\u001e";
    private static final String LATENCY = "latency";
    private static final String ALLOWED = "allowed";
    private static final String DENIED = "denied";
    private static final String ERROR = "error";
    private static final int PARTS = 3;

    private TrafficFields() {
    }

    /** Appends the fields of a hash and their counts. */
    static void append(TrafficCounts counts, List<String> arguments) {
        counts.rules().forEach((name, ofRule) -> {
            append(ALLOWED, name, ofRule.allowed(), arguments);
            append(DENIED, name, ofRule.denied(), arguments);
            append(ERROR, name, ofRule.errors(), arguments);
        });
        counts.latencies().forEach((bound, count) -> {
            arguments.add(LATENCY + SEPARATOR + bound);
            arguments.add(Long.toString(count));
        });
    }

    private static void append(String outcome, RuleTier name, long count, List<String> arguments) {
        if (count > 0) {
            arguments.add(outcome + SEPARATOR + name.tier() + SEPARATOR + name.rule());
            arguments.add(Long.toString(count));
        }
    }

    /** Returns a number of 0 or more; -1 for a text that another program has written. */
    private static long parse(String text) {
        try {
            return Math.max(-1, Long.parseLong(text));
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Adds the count of a field; ignores one that another version or program has written. */
    static void read(String field, String text, TrafficCounts counts) {
        long count = parse(text);
        var parts = field.split(SEPARATOR, PARTS);
        if (count < 0) {
            return;
        } else if (parts.length == 2 && parts[0].equals(LATENCY) && parse(parts[1]) >= 0) {
            counts.latencies().merge(parse(parts[1]), count, Long::sum);
        } else if (parts.length == PARTS) {
            counts.rules().merge(new RuleTier(parts[2], parts[1]), switch (parts[0]) {
                case ALLOWED -> new RuleCounts(count, 0, 0);
                case DENIED -> new RuleCounts(0, count, 0);
                default -> new RuleCounts(0, 0, count);
            }, RuleCounts::plus);
        }
    }

    static String member(TopCaller caller) {
        return caller.tier() + SEPARATOR + caller.rule() + SEPARATOR + caller.identifier();
    }

    /** Adds the count of a member of a sorted set; ignores one that another version has written. */
    static void readMember(String member, long count, Map<TopCaller, Long> callers) {
        var parts = member.split(SEPARATOR, PARTS);
        if (parts.length == PARTS) {
            callers.merge(new TopCaller(parts[2], parts[1], parts[0]), count, Long::sum);
        }
    }

    /** Returns numbers by rule and tier as one text. */
    static String report(Map<RuleTier, Long> numbers) {
        var entries = new StringJoiner(ENTRY_SEPARATOR);
        numbers.forEach((name, number) -> entries.add(number + SEPARATOR + name.tier() + SEPARATOR + name.rule()));
        return entries.toString();
    }

    /** Adds the numbers of a report. */
    static void readReport(String report, Map<RuleTier, Long> numbers) {
        for (var entry : report.split(ENTRY_SEPARATOR)) {
            var parts = entry.split(SEPARATOR, PARTS);
            if (parts.length == PARTS && parse(parts[0]) >= 0) {
                numbers.merge(new RuleTier(parts[2], parts[1]), parse(parts[0]), Long::sum);
            }
        }
    }

    /** Removes all but the highest counts. */
    static <K> void retainHighest(Map<K, Long> counts, int max) {
        if (counts.size() > max) {
            var entries = new ArrayList<>(counts.entrySet());
            entries.sort(Map.Entry.comparingByValue());
            entries.subList(0, entries.size() - max).forEach(entry -> counts.remove(entry.getKey()));
        }
    }
}
