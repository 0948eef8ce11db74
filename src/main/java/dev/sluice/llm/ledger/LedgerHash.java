package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

import dev.sluice.llm.pricing.CostParts.Group;

/**
 * Format of one identifier's hour in Redis: a hash of {@code provider:counter:model} to a whole number. A counter is a letter, or
 * {@code h} and a number: a bucket of the histogram of the model's outputs. The parts of the cost have the counters
 * {@code p.<kind>}, the cost, and {@code q<group>.<kind>}, the quantity, where group is the counter of tokens that contains it, or
 * {@code n}; a kind that is what the others leave of a counter has no quantity. The field {@code models} is the number of models.
 * The other fields, by owner, are described in book.lua and read by days.lua.
 * Versions that do not know a counter ignore it.
 */
final class LedgerHash {

    /** Hours of a day. */
    static final int HOURS_OF_DAY = 24;

    private static final int HOUR_SECONDS = 3600;
    private static final List<String> BUCKET_COUNTERS = IntStream.range(0, OutputHistogram.BUCKETS).mapToObj(i -> "h" + i)
            .toList();
    /** Largest number that HINCRBY accepts. */
    private static final BigInteger MAX_VALUE = BigInteger.valueOf(Long.MAX_VALUE);
    /** {@code provider:counter:model}. */
    private static final Pattern FIELD_PATTERN = Pattern.compile("([^:]*):([a-z]):(.*)", Pattern.DOTALL);
    /** {@code provider:counter:model} of a part. */
    private static final Pattern PART_PATTERN = Pattern.compile("([^:]*):(p|q[irwon])\\.([a-z0-9_]{1,32}):(.*)",
            Pattern.DOTALL);
    private static final Map<Group, String> GROUP_LETTERS = Map.of(Group.INPUT, "i", Group.CACHED_INPUT, "r", Group.CACHE_WRITE,
            "w", Group.OUTPUT, "o", Group.NONE, "n");
    private static final Pattern NUMBER_PATTERN = Pattern.compile("-?\\d{1,19}");

    private LedgerHash() {
    }

    /** Returns counter and increment of every counter that is not zero, alternating; first that of calls. */
    static List<String> increments(LedgerSum sum) {
        var totals = sum.totals();
        var increments = new ArrayList<String>(18);
        add(increments, "c", BigInteger.valueOf(totals.calls()));
        add(increments, "i", BigInteger.valueOf(totals.input()));
        add(increments, "r", BigInteger.valueOf(totals.cachedInput()));
        add(increments, "w", BigInteger.valueOf(totals.cacheWrite()));
        add(increments, "o", BigInteger.valueOf(totals.output()));
        add(increments, "p", totals.picodollars());
        add(increments, "u", BigInteger.valueOf(totals.unpriced()));
        add(increments, "e", BigInteger.valueOf(totals.estimated()));
        totals.parts().forEach((kind, part) -> {
            add(increments, "p." + kind, part.picodollars());
            add(increments, 'q' + GROUP_LETTERS.get(part.group()) + '.' + kind, BigInteger.valueOf(part.quantity()));
        });
        for (int bucket = 0; bucket < OutputHistogram.BUCKETS; bucket++) {
            if (sum.outputs().calls(bucket) > 0) {
                add(increments, BUCKET_COUNTERS.get(bucket), BigInteger.valueOf(sum.outputs().calls(bucket)));
            }
        }
        return increments;
    }

    private static void add(List<String> increments, String counter, BigInteger value) {
        if (value.signum() > 0) {
            increments.add(counter);
            increments.add(value.min(MAX_VALUE).toString());
        }
    }

    /** Returns the arguments of outputs.lua. Readers of the other counters ignore those of the buckets. */
    static List<String> bucketArguments(String provider, String model) {
        var arguments = new ArrayList<String>(2 + OutputHistogram.BUCKETS);
        arguments.add(provider);
        arguments.add(model);
        arguments.addAll(BUCKET_COUNTERS);
        return arguments;
    }

    /** Adds the counters of a hash to a report; ignores fields of other applications. */
    static void addTo(Map<String, String> fields, UsageReport report) {
        record ModelKey(String provider, String model) {
        }
        var countersByModel = new HashMap<ModelKey, Map<Character, BigInteger>>();
        var partsByModel = new HashMap<ModelKey, UsageParts>();
        fields.forEach((field, value) -> {
            if (!NUMBER_PATTERN.matcher(value).matches()) {
                return;
            }
            var counter = FIELD_PATTERN.matcher(field);
            var part = PART_PATTERN.matcher(field);
            if (counter.matches()) {
                countersByModel
                        .computeIfAbsent(new ModelKey(counter.group(1), counter.group(3)), name -> new HashMap<>())
                        .put(counter.group(2).charAt(0), new BigInteger(value));
            } else if (part.matches()) {
                partsByModel.merge(new ModelKey(part.group(1), part.group(4)),
                        part(part.group(2), part.group(3), new BigInteger(value)),
                        UsageParts::plus);
            }
        });
        countersByModel.forEach((key, counters) -> report.add(key.provider(), key.model(),
                new UsageTotals(count(counters, 'c'), count(counters, 'i'), count(counters, 'r'), count(counters, 'w'),
                        count(counters, 'o'), counters.getOrDefault('p', BigInteger.ZERO), count(counters, 'u'),
                        count(counters, 'e'), partsByModel.getOrDefault(key, UsageParts.NONE))));
    }

    /** @param counter {@code p}, or {@code q} and the letter of a group */
    private static UsageParts part(String counter, String kind, BigInteger value) {
        if (counter.equals("p")) {
            return UsageParts.ofCost(kind, value);
        }
        var letter = counter.substring(1);
        var group = GROUP_LETTERS.entrySet().stream().filter(entry -> entry.getValue().equals(letter)).findFirst().orElseThrow()
                .getKey();
        return UsageParts.ofQuantity(kind, group, value.longValue());
    }

    private static long count(Map<Character, BigInteger> counters, char counter) {
        return counters.getOrDefault(counter, BigInteger.ZERO).longValue();
    }

    static long hourOf(long epochSecond) {
        return Math.floorDiv(epochSecond, HOUR_SECONDS);
    }

    static long dayOf(long hour) {
        return Math.floorDiv(hour, HOURS_OF_DAY);
    }

    /** Returns the expiry of the hash of a day, in Unix seconds. */
    static long dayExpirySeconds(long day) {
        return (day + 2 + LedgerStore.RETENTION_DAYS) * HOURS_OF_DAY * HOUR_SECONDS;
    }

    /** Returns the expiry of an hour's keys, in Unix seconds. */
    static long expirySeconds(long hour) {
        return (hour + 1 + LedgerStore.RETENTION_HOURS) * HOUR_SECONDS;
    }
}
