package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.CalendarPeriod;

/** Periods of the calendar in time zones. */
class CalendarWindowTest {

    private static final long SECOND = 1_000_000;

    private static long micros(String instant) {
        return Instant.parse(instant).getEpochSecond() * SECOND;
    }

    @ParameterizedTest
    @CsvSource({"DAY,UTC,2026-11-30T23:59:59Z,2026-11-30T00:00:00Z,2026-12-01T00:00:00Z",
            "DAY,UTC,2026-12-01T00:00:00Z,2026-12-01T00:00:00Z,2026-12-02T00:00:00Z",
            "WEEK,UTC,2026-12-06T23:59:59Z,2026-11-30T00:00:00Z,2026-12-07T00:00:00Z",
            "MONTH,UTC,2026-02-14T12:00:00Z,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z",
            "DAY,Europe/Berlin,2026-03-29T12:00:00Z,2026-03-28T23:00:00Z,2026-03-29T22:00:00Z",
            "DAY,Europe/Berlin,2026-10-25T12:00:00Z,2026-10-24T22:00:00Z,2026-10-25T23:00:00Z",
            "WEEK,Europe/Berlin,2026-03-29T12:00:00Z,2026-03-22T23:00:00Z,2026-03-29T22:00:00Z",
            "MONTH,Europe/Berlin,2026-10-31T22:59:59Z,2026-09-30T22:00:00Z,2026-10-31T23:00:00Z",
            "DAY,America/New_York,2026-03-08T12:00:00Z,2026-03-08T05:00:00Z,2026-03-09T04:00:00Z",
            "DAY,Asia/Kathmandu,2026-06-01T18:14:59Z,2026-05-31T18:15:00Z,2026-06-01T18:15:00Z",
            "DAY,Pacific/Apia,2011-12-30T09:00:00Z,2011-12-29T10:00:00Z,2011-12-30T10:00:00Z",
            "DAY,Pacific/Apia,2011-12-30T10:00:00Z,2011-12-30T10:00:00Z,2011-12-31T10:00:00Z",
            "MONTH,Pacific/Apia,2011-12-30T10:00:00Z,2011-12-01T10:00:00Z,2011-12-31T10:00:00Z"})
    void hasTheMidnightsOfItsZone(CalendarPeriod period, String zone, String time, String start, String end) {
        var window = CalendarWindow.at(period, ZoneId.of(zone), micros(time));
        assertThat(Instant.ofEpochSecond(window.start())).isEqualTo(start);
        assertThat(Instant.ofEpochSecond(window.end())).isEqualTo(end);
        assertThat(window.contains(micros(time))).isTrue();
    }

    /** Clocks are set back at midnight in Havana, and were at one minute past in St. John's. */
    @ParameterizedTest
    @ValueSource(strings = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Havana",
            "America/St_Johns", "Asia/Beirut", "America/Sao_Paulo", "Africa/Cairo", "Australia/Lord_Howe"})
    void periodsFollowEachOther(String id) {
        var zone = ZoneId.of(id);
        for (var period : CalendarPeriod.values()) {
            var window = CalendarWindow.at(period, zone, micros("2005-01-01T00:00:00Z"));
            while (window.end() < micros("2030-01-01T00:00:00Z") / SECOND) {
                var next = CalendarWindow.at(period, zone, window.endMicros());
                assertThat(next.start()).isEqualTo(window.end());
                assertThat(CalendarWindow.at(period, zone, window.endMicros() - 1)).isEqualTo(window);
                var first = LocalDateTime.ofInstant(Instant.ofEpochSecond(next.start()), zone);
                assertThat(Duration.between(first.toLocalDate().atStartOfDay(), first)).isLessThan(Duration.ofHours(2));
                assertThat(isFirst(period, first.toLocalDate())).isTrue();
                window = next;
            }
        }
    }

    private static boolean isFirst(CalendarPeriod period, LocalDate date) {
        return switch (period) {
            case DAY -> true;
            case WEEK -> date.getDayOfWeek() == DayOfWeek.MONDAY;
            case MONTH -> date.getDayOfMonth() == 1;
        };
    }

    @Test
    void periodOfAnyTimeContainsIt() {
        var random = new Random(1);
        var zones = ZoneId.getAvailableZoneIds().stream().sorted().toList();
        for (int i = 0; i < 20_000; i++) {
            var zone = ZoneId.of(zones.get(random.nextInt(zones.size())));
            var period = CalendarPeriod.values()[random.nextInt(3)];
            long time = random.nextLong(2_000_000_000) * SECOND + random.nextInt(1_000_000);
            var window = CalendarWindow.at(period, zone, time);
            assertThat(window.contains(time)).as(zone + " " + time).isTrue();
            assertThat(window.at(window.startMicros())).isSameAs(window);
            assertThat(window.at(window.startMicros() - 1).end()).as(zone + " " + time).isEqualTo(window.start());
        }
    }

    @Test
    void calendarKeepsTheCurrentPeriod() {
        var calendar = new PeriodCalendar(ZoneId.of("Europe/Berlin"));
        long noon = micros("2026-10-25T11:00:00Z");
        var today = calendar.at(CalendarPeriod.DAY, noon);
        assertThat(today.span()).isEqualTo(25 * 3600 * SECOND);
        assertThat(calendar.at(CalendarPeriod.DAY, noon + SECOND)).isSameAs(today);
        assertThat(calendar.at(CalendarPeriod.DAY, today.endMicros()).start()).isEqualTo(today.end());
        assertThat(calendar.at(CalendarPeriod.MONTH, noon).period()).isEqualTo(CalendarPeriod.MONTH);
        assertThat(LocalTime.ofInstant(Instant.ofEpochSecond(today.start()), ZoneId.of("Europe/Berlin")))
                .isEqualTo(LocalTime.MIDNIGHT);
    }
}
