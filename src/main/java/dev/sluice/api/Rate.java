package dev.sluice.api;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Rate that applies to a resource: one or several quotas, all of which must hold, or {@link #UNLIMITED}, or {@link #BLOCKED}.
 * Immutable.
 * <p>
 * The text form is {@code COUNT/WINDOW}, for example {@code 10/minute} or {@code 100/5m}; several quotas are joined by
 * {@code ;}, as in {@code 10/second;1000/hour}. {@code unlimited} and {@code blocked} are rates, too. The units of time are s,
 * sec, second, m, min, minute, h, hour, d, day and their plurals. A window of {@code calendar-day}, {@code calendar-week} (from
 * Monday), {@code calendar-month} or {@code month} is a period of the calendar ({@link CalendarPeriod}); the others slide.
 */
public final class Rate {

    /** Allows every request and counts nothing. */
    public static final Rate UNLIMITED = new Rate(List.of(), "unlimited");

    /** Denies every request; retrying never helps. */
    public static final Rate BLOCKED = new Rate(List.of(), "blocked");

    /** Maximum number of quotas of one rate. */
    public static final int MAX_QUOTAS = 8;

    /** Text form of a rate of requests or tokens, on one line for error messages. */
    public static final String SYNTAX = "COUNT/WINDOW such as 10/minute, 100/5m or 20/30s, up to " + MAX_QUOTAS
            + " of them joined by ';' (count 1 to " + Quota.MAX_LIMIT + ", window 1 s to 31 days,"
            + " units s, m, h, d or second, minute, hour, day; or calendar-day, calendar-week, calendar-month),"
            + " or 'unlimited', or 'blocked'";

    /** Text form of a budget, on one line for error messages. */
    public static final String BUDGET_SYNTAX = "DOLLARS/WINDOW such as 20/day or 0.50/hour, up to " + MAX_QUOTAS
            + " of them joined by ';' (at most nine decimals, window 1 s to 31 days, or calendar-day, calendar-week,"
            + " calendar-month), or 'unlimited', or 'blocked'";

    private static final Map<String, Duration> TIME_UNITS = Map.ofEntries(
            Map.entry("s", Duration.ofSeconds(1)), Map.entry("sec", Duration.ofSeconds(1)),
            Map.entry("second", Duration.ofSeconds(1)), Map.entry("m", Duration.ofMinutes(1)),
            Map.entry("min", Duration.ofMinutes(1)), Map.entry("minute", Duration.ofMinutes(1)),
            Map.entry("h", Duration.ofHours(1)), Map.entry("hour", Duration.ofHours(1)),
            Map.entry("d", Duration.ofDays(1)), Map.entry("day", Duration.ofDays(1)));

    private static final Map<String, CalendarPeriod> CALENDAR_PERIODS = Map.of("month", CalendarPeriod.MONTH,
            CalendarPeriod.DAY.value(), CalendarPeriod.DAY, CalendarPeriod.WEEK.value(), CalendarPeriod.WEEK,
            CalendarPeriod.MONTH.value(), CalendarPeriod.MONTH);

    private final List<Quota> quotas;
    private final String text;

    private Rate(List<Quota> quotas, String text) {
        this.quotas = quotas;
        this.text = text;
    }

    /**
     * Creates a rate of one or several quotas.
     *
     * @param quotas 1 to {@value #MAX_QUOTAS} quotas with different windows; a calendar period differs from a sliding window of its length
     * @throws IllegalArgumentException if there are none, too many, or two with the same window
     */
    public static Rate of(Quota... quotas) {
        if (quotas.length == 0 || quotas.length > MAX_QUOTAS) {
            throw new IllegalArgumentException("rate must have 1 to " + MAX_QUOTAS + " quotas");
        }
        var text = new StringBuilder();
        for (int i = 0; i < quotas.length; i++) {
            for (int j = 0; j < i; j++) {
                if (quotas[i].hasSameWindow(quotas[j])) {
                    throw new IllegalArgumentException(quotas[i].period() == null
                            ? "rate has two quotas for the window of " + quotas[i].windowSeconds() + " s"
                            : "rate has two quotas for each " + quotas[i].windowText());
                }
            }
            text.append(i == 0 ? "" : ";").append(quotas[i]);
        }
        return new Rate(List.of(quotas), text.toString());
    }

    /**
     * Creates a rate of one quota of requests.
     *
     * @param limit maximum number of requests, from 1 to {@value Quota#MAX_LIMIT}
     * @param window length of the window, a whole number of seconds from one second to 31 days
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static Rate of(long limit, Duration window) {
        return of(new Quota(limit, window));
    }

    /**
     * Creates a limit of the requests in flight. A request that is admitted holds one slot for each unit of its cost until
     * {@link Decision#slot()} is released. Such a limit has no text form that can be parsed.
     *
     * @param limit maximum number of slots that are held at a time, over all instances, from 1 to 1,000,000
     * @throws IllegalArgumentException if the limit is out of range
     */
    public static Rate concurrency(long limit) {
        return of(new Quota(limit, Duration.ZERO, QuotaUnit.CONCURRENT_REQUESTS));
    }

    /**
     * Parses a rate of requests.
     *
     * @param text text form of the rate, in any case
     * @throws IllegalArgumentException if the text is not a rate; the message names the problem and does not repeat the text
     */
    public static Rate parse(String text) {
        return parse(text, QuotaUnit.REQUESTS);
    }

    /**
     * Parses a rate of the given unit. The amounts of {@link QuotaUnit#NANODOLLARS} are written in dollars, with up to nine
     * decimals: {@code 20/day}, {@code 0.50/hour;10/day}.
     *
     * @param text text form of the rate, in any case
     * @param unit unit of the quotas
     * @throws IllegalArgumentException if the text is not a rate; the message names the problem and does not repeat the text
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
        for (int start = 0; start <= trimmed.length();) {
            int end = trimmed.indexOf(';', start);
            end = end < 0 ? trimmed.length() : end;
            if (quotas.size() == MAX_QUOTAS) {
                throw new IllegalArgumentException("more than " + MAX_QUOTAS + " quotas");
            }
            quotas.add(parseQuota(trimmed.substring(start, end).strip(), unit));
            start = end + 1;
        }
        var parsed = of(quotas.toArray(Quota[]::new));
        return new Rate(parsed.quotas, trimmed);
    }

    private static Quota parseQuota(String text, QuotaUnit unit) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not of the form COUNT/WINDOW");
        }
        var count = text.substring(0, slash).strip();
        long limit = unit == QuotaUnit.NANODOLLARS ? parseDollars(count) : parseNumber(count, "count");
        var window = text.substring(slash + 1).strip().toLowerCase(Locale.ROOT);
        int digits = 0;
        while (digits < window.length() && window.charAt(digits) >= '0' && window.charAt(digits) <= '9') {
            digits++;
        }
        long multiple = digits == 0 ? 1 : parseNumber(window.substring(0, digits), "window");
        var name = window.substring(digits).strip();
        var singular = name.length() > 2 && name.endsWith("s") ? name.substring(0, name.length() - 1) : name;
        var period = CALENDAR_PERIODS.get(singular);
        if (period != null) {
            if (multiple != 1) {
                throw new IllegalArgumentException("a calendar period cannot have a multiple");
            }
            return new Quota(limit, period, unit);
        }
        var timeUnit = TIME_UNITS.get(singular);
        if (timeUnit == null) {
            throw new IllegalArgumentException("unknown unit of time");
        }
        if (multiple > Quota.MAX_WINDOW.toSeconds()) {
            throw new IllegalArgumentException("window is longer than 31 days");
        }
        return new Quota(limit, timeUnit.multipliedBy(multiple), unit);
    }

    private static long parseDollars(String dollars) {
        if (!dollars.matches("\\d{1,9}(\\.\\d{1,9})?")) {
            throw new IllegalArgumentException("amount must be a number of dollars with at most nine decimals");
        }
        long nanodollars = new BigDecimal(dollars).movePointRight(9).longValueExact();
        if (nanodollars < 1 || nanodollars > QuotaUnit.NANODOLLARS.maxLimit()) {
            throw new IllegalArgumentException("amount must be from 0.000000001 to 9000000 dollars");
        }
        return nanodollars;
    }

    private static long parseNumber(String digits, String field) {
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException(field + " is not a whole number in range");
        }
        return Long.parseLong(digits);
    }

    /** Returns the quotas, all of which must hold; empty for {@link #UNLIMITED} and {@link #BLOCKED}. */
    public List<Quota> quotas() {
        return quotas;
    }

    /** Compares by quotas, not by text: {@code 60/minute} equals {@code 60/60s}. */
    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof Rate rate && !quotas.isEmpty() && quotas.equals(rate.quotas);
    }

    @Override
    public int hashCode() {
        return quotas.isEmpty() ? System.identityHashCode(this) : quotas.hashCode();
    }

    /** Returns the text that was parsed, or the equivalent text of the quotas; also the JSON form of a rate. */
    @JsonValue
    @Override
    public String toString() {
        return text;
    }
}
