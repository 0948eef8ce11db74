package dev.sluice.api;

import java.time.Duration;

/**
 * Calendar period of a {@link Quota}: it begins at a midnight of the time zone {@code rate-limit.time-zone} and ends at another one,
 * at the same time for every identifier. A period in which the clocks change is an hour longer or shorter than the others.
 */
public enum CalendarPeriod {

    /** From one midnight to the next. */
    DAY("calendar-day", 1),
    /** From the midnight before Monday to the next one. */
    WEEK("calendar-week", 7),
    /** From the midnight before the first day of a month to the next one. */
    MONTH("calendar-month", 31);

    private final String value;
    private final Duration nominalLength;

    CalendarPeriod(String value, int days) {
        this.value = value;
        this.nominalLength = Duration.ofDays(days);
    }

    /** Returns the name in rates and in JSON: {@code calendar-day}, {@code calendar-week} or {@code calendar-month}. */
    public String value() {
        return value;
    }

    /** Returns the nominal length: 1, 7 or 31 days. The length of a period is in {@link QuotaStatus#window()}. */
    public Duration nominalLength() {
        return nominalLength;
    }
}
