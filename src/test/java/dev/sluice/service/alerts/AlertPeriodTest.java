package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

import org.junit.jupiter.api.Test;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;

class AlertPeriodTest {

    private static final Instant NOW = Instant.parse("2026-03-29T12:00:00Z");

    @Test
    void periodOfACalendarWindowIsThatOfTheCalendar() {
        var end = Instant.parse("2026-03-29T22:00:00Z");
        var shortDay = new QuotaStatus("team:a", "api", QuotaUnit.REQUESTS, 10, Duration.ofHours(23), 1, Optional.of(end),
                false,
                Optional.empty(), CalendarPeriod.DAY);
        assertThat(AlertPeriod.of(shortDay, NOW)).isEqualTo(new AlertPeriod(Instant.parse("2026-03-28T23:00:00Z"), end));
    }

    @Test
    void periodsOfASlidingWindowAreCountedFrom1970() {
        var day = new QuotaStatus("team:a", "api", QuotaUnit.REQUESTS, 10, Duration.ofDays(1), 1, Optional.of(NOW), false,
                Optional.empty());
        assertThat(AlertPeriod.of(day, NOW)).isEqualTo(
                new AlertPeriod(Instant.parse("2026-03-29T00:00:00Z"), Instant.parse("2026-03-30T00:00:00Z")));
    }
}
