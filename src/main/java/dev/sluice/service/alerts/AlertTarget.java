package dev.sluice.service.alerts;

import java.net.URI;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * URL and thresholds of the alerts of a subject. Immutable.
 *
 * @param url where the alerts are sent; null if nowhere
 * @param thresholds percentages of a limit, ascending
 * @param owner identifier with whose other alerts these share room in the queue and requests at a time; empty if the URL is the
 *        common one
 */
record AlertTarget(@Nullable URI url, List<Integer> thresholds, String owner) {

    static final int MAX_THRESHOLDS = 20;
    static final int MAX_PERCENT = 100;

    AlertTarget {
        thresholds = thresholds.stream().sorted().toList();
    }

    /** Creates the target of subjects without a URL of their own. */
    AlertTarget(@Nullable URI url, List<Integer> thresholds) {
        this(url, thresholds, "");
    }

    /** Returns whether these are 1 to 20 different percentages from 1 to 100. */
    static boolean areValid(List<Integer> thresholds) {
        return !thresholds.isEmpty() && thresholds.size() <= MAX_THRESHOLDS
                && thresholds.stream().allMatch(percent -> percent >= 1 && percent <= MAX_PERCENT)
                && thresholds.stream().distinct().count() == thresholds.size();
    }

    /**
     * Returns the use from which a threshold is reached, rounded up.
     *
     * @param limit at most that of a budget, so that the product does not overflow
     */
    static long amount(int threshold, long limit) {
        long product = limit * threshold;
        return product / MAX_PERCENT + (product % MAX_PERCENT == 0 ? 0 : 1);
    }

    /**
     * Returns the thresholds that are reached.
     *
     * @param used units used
     * @param claimed use of which the thresholds are left out
     */
    List<Integer> reached(long limit, long used, long claimed) {
        return thresholds.stream().filter(threshold -> {
            long amount = amount(threshold, limit);
            return amount <= used && amount > claimed;
        }).toList();
    }

    /** Returns the use from which the next threshold is reached; {@link Long#MAX_VALUE} if there is none. */
    long next(long limit, long used) {
        return thresholds.stream().mapToLong(threshold -> amount(threshold, limit)).filter(amount -> amount > used).findFirst()
                .orElse(Long.MAX_VALUE);
    }
}
