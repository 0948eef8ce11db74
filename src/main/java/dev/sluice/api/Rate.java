package dev.sluice.api;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How much may pass: one quota or several that must all hold, everything ({@link #UNLIMITED}) or nothing ({@link #BLOCKED}).
 * <p>
 * Written {@code COUNT/WINDOW}, several joined by {@code ;}: {@code 10/minute}, {@code 100/5m}, {@code 10/second;1000/hour};
 * or {@code unlimited}, or {@code blocked}. The units are s, sec, second, m, min, minute, h, hour, d, day, and their plurals.
 */
public final class Rate {

    /** Lets everything pass and counts nothing. */
    public static final Rate UNLIMITED = new Rate(List.of(), "unlimited");

    /** Lets nothing pass: a refusal that no waiting ends. */
    public static final Rate BLOCKED = new Rate(List.of(), "blocked");

    /** The most quotas one rate may have. */
    public static final int MAX_QUOTAS = 8;

    /** What {@link #parse} accepts, in one line for error messages. */
    public static final String SYNTAX = "COUNT/WINDOW such as 10/minute, 100/5m or 20/30s, up to " + MAX_QUOTAS
            + " of them joined by ';' (count 1 to " + Quota.MAX_LIMIT + ", window 1 s to 31 days,"
            + " units s, m, h, d or second, minute, hour, day), or 'unlimited', or 'blocked'";

    /** What is accepted for a budget, in one line for error messages. */
    public static final String BUDGET_SYNTAX = "DOLLARS/WINDOW such as 20/day or 0.50/hour, up to " + MAX_QUOTAS
            + " of them joined by ';' (at most nine decimals, window 1 s to 31 days), or 'unlimited', or 'blocked'";

    private static final Map<String, Duration> UNITS = Map.ofEntries(
            Map.entry("s", Duration.ofSeconds(1)), Map.entry("sec", Duration.ofSeconds(1)),
            Map.entry("second", Duration.ofSeconds(1)), Map.entry("m", Duration.ofMinutes(1)),
            Map.entry("min", Duration.ofMinutes(1)), Map.entry("minute", Duration.ofMinutes(1)),
            Map.entry("h", Duration.ofHours(1)), Map.entry("hour", Duration.ofHours(1)),
            Map.entry("d", Duration.ofDays(1)), Map.entry("day", Duration.ofDays(1)));

    private final List<Quota> quotas;
    private final String text;

    private Rate(List<Quota> quotas, String text) {
        this.quotas = quotas;
        this.text = text;
    }

    /**
     * A rate of these quotas, all of which must hold.
     *
     * @throws IllegalArgumentException without a quota, with more than {@value #MAX_QUOTAS}, or with two for one window
     */
    public static Rate of(Quota... quotas) {
        if (quotas.length == 0 || quotas.length > MAX_QUOTAS) {
            throw new IllegalArgumentException("a rate has 1 to " + MAX_QUOTAS + " quotas");
        }
        var text = new StringBuilder();
        for (int i = 0; i < quotas.length; i++) {
            for (int j = 0; j < i; j++) {
                if (quotas[i].window().equals(quotas[j].window())) {
                    throw new IllegalArgumentException("two counts for one window of " + quotas[i].windowSeconds() + " s");
                }
            }
            text.append(i == 0 ? "" : ";").append(quotas[i]);
        }
        return new Rate(List.of(quotas), text.toString());
    }

    /** One quota: {@code limit} units in any {@code window}. */
    public static Rate of(long limit, Duration window) {
        return of(new Quota(limit, window));
    }

    /**
     * Reads the written form of a rate of requests.
     *
     * @throws IllegalArgumentException if it cannot be read; the message says what is wrong and never repeats the text
     */
    public static Rate parse(String text) {
        return parse(text, QuotaUnit.REQUESTS);
    }

    /**
     * Reads the written form of a rate of these units. One of {@link QuotaUnit#NANODOLLARS} is written in dollars, with up to nine
     * decimals: {@code 20/day}, {@code 0.50/hour;10/day}.
     *
     * @throws IllegalArgumentException if it cannot be read; the message says what is wrong and never repeats the text
     */
    public static Rate parse(String text, QuotaUnit unit) {
        var trimmed = text.strip();
        switch (trimmed.toLowerCase(Locale.ROOT)) {
            case "unlimited" :
                return UNLIMITED;
            case "blocked" :
                return BLOCKED;
            default :
        }
        var quotas = new ArrayList<Quota>();
        for (int from = 0; from <= trimmed.length();) {
            int end = trimmed.indexOf(';', from);
            end = end < 0 ? trimmed.length() : end;
            if (quotas.size() == MAX_QUOTAS) {
                throw new IllegalArgumentException("more than " + MAX_QUOTAS + " rates");
            }
            quotas.add(quota(trimmed.substring(from, end).strip(), unit));
            from = end + 1;
        }
        var parsed = of(quotas.toArray(Quota[]::new));
        return new Rate(parsed.quotas, trimmed);
    }

    private static Quota quota(String text, QuotaUnit unit) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not of the form COUNT/WINDOW");
        }
        var count = text.substring(0, slash).strip();
        long limit = unit == QuotaUnit.NANODOLLARS ? nanodollars(count) : number(count, "count");
        var window = text.substring(slash + 1).strip().toLowerCase(Locale.ROOT);
        int digits = 0;
        while (digits < window.length() && window.charAt(digits) >= '0' && window.charAt(digits) <= '9') {
            digits++;
        }
        long many = digits == 0 ? 1 : number(window.substring(0, digits), "window");
        var time = window.substring(digits).strip();
        var length = UNITS.get(time.length() > 2 && time.endsWith("s") ? time.substring(0, time.length() - 1) : time);
        if (length == null) {
            throw new IllegalArgumentException("unknown unit of time");
        }
        if (many > Quota.MAX_WINDOW.toSeconds()) {
            throw new IllegalArgumentException("the window is longer than 31 days");
        }
        return new Quota(limit, length.multipliedBy(many), unit);
    }

    private static long nanodollars(String dollars) {
        if (!dollars.matches("\\d{1,9}(\\.\\d{1,9})?")) {
            throw new IllegalArgumentException("the amount is no number of dollars with at most nine decimals");
        }
        long nanodollars = new BigDecimal(dollars).movePointRight(9).longValueExact();
        if (nanodollars < 1 || nanodollars > QuotaUnit.NANODOLLARS.maxLimit()) {
            throw new IllegalArgumentException("an amount is from 0.000000001 to 9000000 dollars");
        }
        return nanodollars;
    }

    private static long number(String digits, String what) {
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException("the " + what + " is not a whole number in range");
        }
        return Long.parseLong(digits);
    }

    /** Its quotas; empty for {@link #UNLIMITED} and {@link #BLOCKED}. */
    public List<Quota> quotas() {
        return quotas;
    }

    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof Rate rate && !quotas.isEmpty() && quotas.equals(rate.quotas);
    }

    @Override
    public int hashCode() {
        return quotas.isEmpty() ? System.identityHashCode(this) : quotas.hashCode();
    }

    /** The rate as it was written. */
    @Override
    public String toString() {
        return text;
    }
}
