package dev.sluice.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RateTest {

    @ParameterizedTest
    @CsvSource({"10/minute, 10, 60", "3/hour, 3, 3600", "100/5m, 100, 300", "20/30s, 20, 30", "1000/day, 1000, 86400",
            "50/sec, 50, 1", "1/s, 1, 1", "1/second, 1, 1", "1/seconds, 1, 1", "1/2secs, 1, 2", "1/m, 1, 60", "1/min, 1, 60",
            "1/mins, 1, 60", "1/minutes, 1, 60", "1/h, 1, 3600", "1/hours, 1, 3600", "1/d, 1, 86400", "1/days, 1, 86400",
            "1/31d, 1, 2678400", "1000000000/1s, 1000000000, 1", " 5 / 2 Minutes , 5, 120", "5/2678400s, 5, 2678400"})
    void parsesOneQuota(String text, long limit, long seconds) {
        assertThat(Rate.parse(text).quotas()).containsExactly(new Quota(limit, Duration.ofSeconds(seconds)));
    }

    @ParameterizedTest
    @CsvSource({"10/calendar-day, 10, DAY", "3/Calendar-Week, 3, WEEK", "100/calendar-month, 100, MONTH", "5/month, 5, MONTH",
            "5/MONTHS, 5, MONTH", " 7 / 1 calendar-days , 7, DAY", "1/calendar-weeks, 1, WEEK"})
    void parsesCalendarPeriods(String text, long limit, CalendarPeriod period) {
        var quota = new Quota(limit, period, QuotaUnit.REQUESTS);
        assertThat(Rate.parse(text).quotas()).containsExactly(quota);
        assertThat(quota.window()).isEqualTo(period.nominalLength());
        assertThat(quota).hasToString(limit + "/" + period.value());
        assertThat(Rate.parse(quota.toString()).quotas()).containsExactly(quota);
        assertThat(quota.toMap()).containsEntry("period", period.value()).containsEntry("window_seconds",
                period.nominalLength().toSeconds());
    }

    @Test
    void calendarPeriodDiffersFromSlidingWindowOfItsLength() {
        assertThat(Rate.parse("10/day;10/calendar-day;50/31d;40/month").quotas()).hasSize(4);
        assertThat(Rate.parse("10/day")).isNotEqualTo(Rate.parse("10/calendar-day"));
        assertThat(Rate.parse("0.50/calendar-month", QuotaUnit.NANODOLLARS).quotas())
                .containsExactly(new Quota(500_000_000, CalendarPeriod.MONTH, QuotaUnit.NANODOLLARS));
        assertThatThrownBy(() -> new Quota(1, Duration.ofDays(2), QuotaUnit.REQUESTS, CalendarPeriod.DAY))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Rate.parse("1/2calendar-day")).hasMessageContaining("multiple");
        assertThatThrownBy(() -> Rate.parse("1/month;2/calendar-month")).hasMessageContaining("calendar-month");
    }

    @Test
    void parsesSeveralQuotas() {
        assertThat(Rate.parse("10/second; 1000/hour").quotas()).containsExactly(new Quota(10, Duration.ofSeconds(1)),
                new Quota(1000, Duration.ofHours(1)));
        assertThat(Rate.parse("1/1s;1/2s;1/3s;1/4s;1/5s;1/6s;1/7s;1/8s").quotas()).hasSize(8);
    }

    @Test
    void parsesUnlimitedAndBlocked() {
        assertThat(Rate.parse("unlimited")).isSameAs(Rate.UNLIMITED);
        assertThat(Rate.parse(" Blocked ")).isSameAs(Rate.BLOCKED);
        assertThat(Rate.UNLIMITED).isNotEqualTo(Rate.BLOCKED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "10", "10/", "/minute", "ten/minute", "10/fortnight", "0/minute", "-1/minute", "+1/minute",
            "1.5/minute", "1000000001/minute", "10/0s", "10/32d", "10/2678401s", "99999999999999999999/s", "10/minute;", ";",
            "10/99999999999999d", "10/1.5m", "10 per minute", "unlimited;1/s", "1/1s;1/2s;1/3s;1/4s;1/5s;1/6s;1/7s;1/8s;1/9s",
            "1/minute;2/60s", "10/ss", "１/minute", "1/2calendar-day", "1/0months",
            "1/calendar", "1/calendar-hour", "1/calendar-day;2/1calendar-days", "1/month;2/calendar-month"})
    void rejectsOtherTexts(String text) {
        assertThatThrownBy(() -> Rate.parse(text)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("null");
    }

    @Test
    void equalsByQuotas() {
        assertThat(Rate.parse("60/minute")).isEqualTo(Rate.parse("60/60s")).hasSameHashCodeAs(Rate.parse("60/60s"));
        assertThat(Rate.parse("60/60s")).hasToString("60/60s");
    }
}
