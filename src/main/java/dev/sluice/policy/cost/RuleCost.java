package dev.sluice.policy.cost;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;

import dev.sluice.api.Quota;
import dev.sluice.config.Suggestions;
import dev.sluice.policy.key.RequestValues;
import io.vertx.core.MultiMap;

/**
 * Units that a request takes by a rule: a number, or what a field of the request or of its answer says. Immutable.
 * <p>
 * A client could write the field of its request in a form that servers read differently. So the highest of several values counts, and a
 * value that is no number is an error rather than the default. A request takes one unit at least.
 */
public final class RuleCost {

    /** Cost of rules by which each request takes one unit. */
    public static final RuleCost ONE = new RuleCost(Source.NUMBER, null, 1, Quota.MAX_LIMIT, false);

    public static final String ALLOWED = "a whole number from 1 to " + Quota.MAX_LIMIT
            + ", or request-header:<name>, query:<name> or response-header:<name>, each with ;default=<number> and ;max=<number> if"
            + " need be, the last one with ;keep if the header stays in the response";

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
    private static final Pattern FIELD_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}");
    private static final Pattern PARAMETER_NAME = Pattern.compile("[^\\s;,\\p{Cntrl}]{1,128}");
    private static final long ABSENT = -1;
    private static final long UNREADABLE = -2;

    private enum Source {

        NUMBER(""), REQUEST_HEADER("request-header"), QUERY("query"), RESPONSE_HEADER("response-header");

        private final String word;

        Source(String word) {
            this.word = word;
        }
    }

    private final Source source;
    /** Name of the field; null for a number. */
    private final String name;
    private final long base;
    private final long max;
    private final boolean keep;

    private RuleCost(Source source, String name, long base, long max, boolean keep) {
        this.source = source;
        this.name = name;
        this.base = base;
        this.max = max;
        this.keep = keep;
    }

    /**
     * Parses a cost.
     *
     * @throws IllegalArgumentException if it is invalid; the message says what of it
     */
    public static RuleCost parse(String text) {
        var parts = text.strip().split("\\s*;\\s*", -1);
        int colon = parts[0].indexOf(':');
        if (colon < 0) {
            if (parts.length > 1) {
                throw new IllegalArgumentException("a number has no options");
            }
            return new RuleCost(Source.NUMBER, null, number("cost", parts[0]), Quota.MAX_LIMIT, false);
        }
        var source = source(parts[0].substring(0, colon).strip().toLowerCase(Locale.ROOT));
        var name = parts[0].substring(colon + 1).strip();
        if (!(source == Source.QUERY ? PARAMETER_NAME : FIELD_NAME).matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' cannot be the name of a "
                    + (source == Source.QUERY ? "query parameter" : "header"));
        }
        return withOptions(source, source == Source.QUERY ? name : name.toLowerCase(Locale.ROOT), parts);
    }

    private static Source source(String word) {
        for (var source : Source.values()) {
            if (source != Source.NUMBER && source.word.equals(word)) {
                return source;
            }
        }
        var words = Arrays.stream(Source.values()).filter(source -> source != Source.NUMBER)
                .map(source -> source.word).toList();
        throw new IllegalArgumentException("'" + word + "' is no source of a cost" + Suggestions.hint(word, words));
    }

    private static RuleCost withOptions(Source source, String name, String[] parts) {
        Long base = null;
        Long max = null;
        boolean keep = false;
        for (int i = 1; i < parts.length; i++) {
            var option = parts[i].toLowerCase(Locale.ROOT);
            if (option.matches("default\\s*=.*") && base == null) {
                base = number("default", option.substring(option.indexOf('=') + 1));
            } else if (option.matches("max\\s*=.*") && max == null) {
                max = number("max", option.substring(option.indexOf('=') + 1));
            } else if (option.equals("keep") && source == Source.RESPONSE_HEADER && !keep) {
                keep = true;
            } else {
                throw new IllegalArgumentException("'" + parts[i] + "' is no option of " + source.word + ", or is there twice");
            }
        }
        if (max != null && max < (base == null ? 1 : base)) {
            throw new IllegalArgumentException("default is above max");
        }
        return new RuleCost(source, name, base == null ? 1 : base, max == null ? Quota.MAX_LIMIT : max, keep);
    }

    private static long number(String option, String text) {
        var number = NUMBER.matcher(text.strip()).matches() ? Long.parseLong(text.strip()) : 0;
        if (number < 1 || number > Quota.MAX_LIMIT) {
            throw new IllegalArgumentException(option + " must be a whole number from 1 to " + Quota.MAX_LIMIT);
        }
        return number;
    }

    /** Returns the units that a request takes if no field says it: the number, or the default. */
    public long base() {
        return base;
    }

    /** Returns whether the units depend on the request. */
    public boolean isFromRequest() {
        return source == Source.REQUEST_HEADER || source == Source.QUERY;
    }

    /** Returns whether the units are not known before the answer. The request takes {@link #base()} before. */
    public boolean isFromResponse() {
        return source == Source.RESPONSE_HEADER;
    }

    /** Returns the name of the field; null for a number. */
    public String field() {
        return name;
    }

    /**
     * Returns the units that a request takes before its answer is known.
     *
     * @param headers headers of the request
     * @param query query as it was sent; null if there is none
     * @throws InvalidCostException if the request names a cost that is no number
     */
    public long units(MultiMap headers, String query) {
        if (!isFromRequest()) {
            return base;
        }
        var highest = new HighestValue();
        if (source == Source.QUERY) {
            RequestValues.query(query, name, highest::add);
        } else {
            RequestValues.header(headers, name, highest::add);
        }
        if (highest.unreadable) {
            throw InvalidCostException.unreadable(name, name + " must be a whole number from 0 to " + Quota.MAX_LIMIT);
        }
        long units = highest.present ? highest.units : Math.max(base, highest.units);
        return Math.min(Math.max(1, units), max);
    }

    /** Returns whether a field of the answer that has the cost is taken off it. */
    public boolean isHidden() {
        return isFromResponse() && !keep;
    }

    /**
     * Returns the units that an answer says; they may be 0.
     *
     * @param value value of the field that has the cost; null if the answer has none
     * @param other returned if the value is no number
     */
    public long unitsOfAnswer(String value, long other) {
        long units = value == null ? ABSENT : highestOf(value);
        return units < 0 ? other : Math.min(units, max);
    }

    /** Values that servers may read for the cost of a request. */
    private static final class HighestValue {

        private long units = ABSENT;
        /** True if every server finds a value. */
        private boolean present;
        private boolean unreadable;

        void add(String value, boolean exact) {
            long found = highestOf(value);
            unreadable |= found == UNREADABLE;
            present |= exact && found != ABSENT;
            units = Math.max(units, found);
        }
    }

    /** Returns the highest number of a list that is separated by commas; {@link #ABSENT} if it is empty. */
    private static long highestOf(String list) {
        if (list.indexOf(',') < 0) {
            return parsed(list.strip());
        }
        long highest = ABSENT;
        for (var element : list.split(",")) {
            long number = parsed(element.strip());
            if (number == UNREADABLE) {
                return UNREADABLE;
            }
            highest = Math.max(highest, number);
        }
        return highest;
    }

    private static long parsed(String text) {
        if (text.isEmpty()) {
            return ABSENT;
        }
        long number = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return UNREADABLE;
            }
            number = Math.min(Quota.MAX_LIMIT, 10 * number + digit);
        }
        return number;
    }

    /** Returns the cost as it is configured. */
    @Override
    public String toString() {
        if (source == Source.NUMBER) {
            return Long.toString(base);
        }
        return source.word + ':' + name + (base == 1 ? "" : ";default=" + base) + (max == Quota.MAX_LIMIT ? "" : ";max=" + max)
                + (keep ? ";keep" : "");
    }
}
