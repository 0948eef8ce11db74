package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** How one identifier's hour lies in Redis: a hash of {@code provider:counter:model} to a whole number. */
final class LedgerHash {

    private static final int HOUR_SECONDS = 3600;
    /** 31 days, and the hour that is in part older. */
    private static final int KEPT_HOURS = 31 * 24 + 1;
    /** The largest number that Redis adds. */
    private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
    /** {@code provider:counter:model}. */
    private static final Pattern FIELD = Pattern.compile("([^:]*):([a-z]):(.*)", Pattern.DOTALL);
    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,19}");

    private LedgerHash() {
    }

    /** Field and increment of everything that is not zero. */
    static List<String> increments(String provider, String model, UsageTotals tally) {
        var all = new ArrayList<String>(16);
        add(all, provider, 'c', model, BigInteger.valueOf(tally.calls()));
        add(all, provider, 'i', model, BigInteger.valueOf(tally.input()));
        add(all, provider, 'r', model, BigInteger.valueOf(tally.cachedInput()));
        add(all, provider, 'w', model, BigInteger.valueOf(tally.cacheWrite()));
        add(all, provider, 'o', model, BigInteger.valueOf(tally.output()));
        add(all, provider, 'p', model, tally.picodollars());
        add(all, provider, 'u', model, BigInteger.valueOf(tally.unpriced()));
        add(all, provider, 'e', model, BigInteger.valueOf(tally.estimated()));
        return all;
    }

    private static void add(List<String> all, String provider, char counter, String model, BigInteger value) {
        if (value.signum() > 0) {
            all.add(provider + ':' + counter + ':' + model);
            all.add(value.min(MOST).toString());
        }
    }

    /** Adds what a hash holds to an account; fields that are not the ledger's are left out. */
    static void read(Map<String, String> fields, UsageReport account) {
        record Line(String provider, String model) {
        }
        var lines = new HashMap<Line, Map<Character, BigInteger>>();
        fields.forEach((field, value) -> {
            var named = FIELD.matcher(field);
            if (named.matches() && NUMBER.matcher(value).matches()) {
                lines.computeIfAbsent(new Line(named.group(1), named.group(3)), name -> new HashMap<>())
                        .put(named.group(2).charAt(0), new BigInteger(value));
            }
        });
        lines.forEach((line, counters) -> account.add(line.provider(), line.model(),
                new UsageTotals(count(counters, 'c'), count(counters, 'i'), count(counters, 'r'), count(counters, 'w'),
                        count(counters, 'o'), counters.getOrDefault('p', BigInteger.ZERO), count(counters, 'u'),
                        count(counters, 'e'))));
    }

    private static long count(Map<Character, BigInteger> counters, char counter) {
        return counters.getOrDefault(counter, BigInteger.ZERO).longValue();
    }

    static long hour(long epochSecond) {
        return Math.floorDiv(epochSecond, HOUR_SECONDS);
    }

    /** In Unix seconds. */
    static long expiry(long hour) {
        return (hour + 1 + KEPT_HOURS) * HOUR_SECONDS;
    }
}
