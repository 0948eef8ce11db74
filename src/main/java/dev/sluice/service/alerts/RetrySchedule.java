package dev.sluice.service.alerts;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;

import org.jspecify.annotations.Nullable;

/** Times between the attempts to send an alert: growing up to an hour, and longer if the receiver asks for it, by up to an hour. */
final class RetrySchedule {

    private static final List<Duration> DELAYS = List.of(Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofMinutes(2),
            Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ofHours(1));
    private static final long MAX_RETRY_AFTER_MILLIS = Duration.ofHours(1).toMillis();
    /** Maximum addition to a delay, as a share of it. */
    private static final double JITTER = 0.2;
    private static final int MAX_DIGITS = 9;

    private RetrySchedule() {
    }

    /**
     * Returns the time until the next attempt, in milliseconds.
     *
     * @param failures number of failed attempts before the last one
     * @param retryAfter field {@code Retry-After} of the response (RFC 9110, 10.2.3), a number of seconds or a date; null if it is
     *        missing
     * @param random a number from 0 to 1
     */
    static long delayMillis(int failures, @Nullable String retryAfter, Instant now, double random) {
        long backoff = DELAYS.get(Math.min(failures, DELAYS.size() - 1)).toMillis();
        return Math.max((long) (backoff * (1 + JITTER * random)), retryAfterMillis(retryAfter, now));
    }

    private static long retryAfterMillis(@Nullable String text, Instant now) {
        if (text == null) {
            return 0;
        }
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return text.length() > MAX_DIGITS
                    ? MAX_RETRY_AFTER_MILLIS
                    : Math.min(MAX_RETRY_AFTER_MILLIS, Duration.ofSeconds(Long.parseLong(text)).toMillis());
        }
        try {
            var date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
            return Math.min(MAX_RETRY_AFTER_MILLIS, Duration.between(now, date).toMillis());
        } catch (DateTimeParseException e) {
            return 0;
        }
    }
}
