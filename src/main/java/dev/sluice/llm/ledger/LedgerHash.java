package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Format of one identifier's hour in Redis: a hash of {@code provider:counter:model} to a whole number. A counter is a letter, or
 * {@code h} and a number: a bucket of the histogram of the model's outputs. The field {@code models} is the number of models.
 */
final class LedgerHash {

    private static final int HOUR_SECONDS = 3600;
    private static final List<String> BUCKET_COUNTERS = IntStream.range(0, OutputHistogram.BUCKETS).mapToObj(i -> "h" + i)
            .toList();
    /** Largest number that HINCRBY accepts. */
    private static final BigInteger MAX_VALUE = BigInteger.valueOf(Long.MAX_VALUE);
    /** {@code provider:counter:model}. */
    private static final Pattern FIELD_PATTERN = Pattern.compile("([^:]*):([a-z]):(.*)", Pattern.DOTALL);
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
        fields.forEach((field, value) -> {
            var matcher = FIELD_PATTERN.matcher(field);
            if (matcher.matches() && NUMBER_PATTERN.matcher(value).matches()) {
                countersByModel.computeIfAbsent(new ModelKey(matcher.group(1), matcher.group(3)), name -> new HashMap<>())
                        .put(matcher.group(2).charAt(0), new BigInteger(value));
            }
        });
        countersByModel.forEach((key, counters) -> report.add(key.provider(), key.model(),
                new UsageTotals(count(counters, 'c'), count(counters, 'i'), count(counters, 'r'), count(counters, 'w'),
                        count(counters, 'o'), counters.getOrDefault('p', BigInteger.ZERO), count(counters, 'u'),
                        count(counters, 'e'))));
    }

    private static long count(Map<Character, BigInteger> counters, char counter) {
        return counters.getOrDefault(counter, BigInteger.ZERO).longValue();
    }

    static long hourOf(long epochSecond) {
        return Math.floorDiv(epochSecond, HOUR_SECONDS);
    }

    /** Returns the expiry of an hour's keys, in Unix seconds. */
    static long expirySeconds(long hour) {
        return (hour + 1 + LedgerStore.RETENTION_HOURS) * HOUR_SECONDS;
    }
}
