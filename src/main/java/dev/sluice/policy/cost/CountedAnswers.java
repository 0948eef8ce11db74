package dev.sluice.policy.cost;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Answers that a rule counts, by their status: all of them, or those that the rule names. Immutable. */
public final class CountedAnswers {

    /** Answers of a rule that counts every request, whatever its answer is. */
    public static final CountedAnswers ALL = new CountedAnswers(null, "");

    public static final String ALLOWED = "statuses and classes of statuses, such as 401,403 or 4xx; with '!' those that do not count, such as !2xx";

    private static final int STATUSES = 1000;
    private static final Pattern ELEMENT = Pattern.compile("(!?)([1-5])(xx|[0-9]{2})");

    /** By status; null if all count. */
    private final boolean[] counted;
    private final String text;

    private CountedAnswers(boolean[] counted, String text) {
        this.counted = counted;
        this.text = text;
    }

    /**
     * Parses statuses and classes. Those with an exclamation mark are taken off the others, or off all statuses if there are no others.
     *
     * @throws IllegalArgumentException if an element is invalid, or if no status is left; the message says which
     */
    public static CountedAnswers parse(List<String> elements) {
        var included = new boolean[STATUSES];
        var excluded = new boolean[STATUSES];
        boolean anyIncluded = false;
        for (var element : elements) {
            var matcher = ELEMENT.matcher(element.toLowerCase(Locale.ROOT));
            if (!matcher.matches()) {
                throw new IllegalArgumentException("'" + element + "' is no status and no class of statuses");
            }
            boolean isExcluded = !matcher.group(1).isEmpty();
            anyIncluded |= !isExcluded;
            int first = Integer.parseInt(matcher.group(2)) * 100;
            boolean isClass = matcher.group(3).equals("xx");
            int from = isClass ? first : first + Integer.parseInt(matcher.group(3));
            Arrays.fill(isExcluded ? excluded : included, from, isClass ? first + 100 : from + 1, true);
        }
        boolean empty = true;
        for (int i = 0; i < STATUSES; i++) {
            included[i] = (included[i] || !anyIncluded) && !excluded[i];
            empty &= !included[i] || i < 100 || i > 599;
        }
        if (empty) {
            throw new IllegalArgumentException("no status is left that counts");
        }
        return new CountedAnswers(included, String.join(",", elements).toLowerCase(Locale.ROOT));
    }

    /** Returns whether requests count whatever their answers are. */
    public boolean isAll() {
        return counted == null;
    }

    /** Returns whether a request with an answer of this status counts. */
    public boolean contains(int status) {
        return counted == null || status >= 0 && status < STATUSES && counted[status];
    }

    /** Returns the statuses and classes as configured, separated by commas. */
    @Override
    public String toString() {
        return text;
    }
}
