package dev.sluice.settlement;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import dev.sluice.api.Quota;

/**
 * Settlement of one reservation.
 *
 * @param usageByResource used units by resource
 * @param expiresAtNanos {@link System#nanoTime} at which the reservation has left its windows
 */
public record Settlement(String identifier, String reservation, Map<String, Long> usageByResource, long expiresAtNanos) {

    /**
     * Format of {@code dev.sluice.store.ReservationToken}: the last group contains the lengths of its windows in
     * seconds, each of a calendar period with {@code @} and its begin.
     */
    private static final Pattern RESERVATION_TOKEN = Pattern
            .compile("[a-z]-[0-9a-f]{32}((?:-[1-9]\\d{0,6}(?:@\\d{1,12})?)+)(?:\\..*)?");

    static Settlement of(String identifier, String reservation, Map<String, Long> usageByResource, long nowNanos) {
        return new Settlement(identifier, reservation, usageByResource,
                nowNanos + TimeUnit.SECONDS.toNanos(longestWindow(reservation)));
    }

    /** Returns the length of the reservation's longest window, in seconds. */
    public static long longestWindow(String reservation) {
        var matcher = RESERVATION_TOKEN.matcher(reservation);
        long longest = Quota.MAX_WINDOW.toSeconds();
        return matcher.matches()
                ? Math.min(longest,
                        Arrays.stream(matcher.group(1).substring(1).split("-"))
                                .mapToLong(window -> Long.parseLong(window.split("@")[0])).max().orElse(longest))
                : longest;
    }

    boolean isExpired(long nowNanos) {
        return expiresAtNanos - nowNanos <= 0;
    }
}
