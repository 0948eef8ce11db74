package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.CalendarPeriod;

class ReservationTokenTest {

    private static final String NAME = "0123456789abcdef0123456789abcdef";

    private static List<WindowKey> windows(long... seconds) {
        return Arrays.stream(seconds).mapToObj(length -> new WindowKey("", length * 1_000_000)).toList();
    }

    @Test
    void isReadAsItIsWritten() {
        var reservation = new ReservationToken(ReservationToken.Location.REDIS, NAME, windows(60, 2_678_400), null);
        assertThat(reservation).hasToString("r-" + NAME + "-60-2678400");
        assertThat(ReservationToken.parse(reservation.toString())).isEqualTo(reservation);
        assertThat(ReservationToken.parse("m-" + NAME + "-1"))
                .isEqualTo(new ReservationToken(ReservationToken.Location.MEMORY, NAME, windows(1), null));
        assertThat(ReservationToken.parse("b-" + NAME + "-1").location()).isEqualTo(ReservationToken.Location.BOTH);
    }

    @Test
    void namesThePeriodsOfCalendarWindows() {
        var day = CalendarWindow.at(CalendarPeriod.DAY, ZoneOffset.UTC, 1_800_000_000_000_000L);
        var claims = List.of(StoreUnderTest.tokens("t", 60, 10, 1), StoreUnderTest.tokens("t", 60, 10, 1).in(day));
        var token = ReservationToken.of(ReservationToken.Location.REDIS, NAME, List.of("user:a"), claims);
        assertThat(token).hasToString("r-" + NAME + "-60-86400@1799971200");
        assertThat(ReservationToken.parse(token.toString())).isEqualTo(token);
        assertThat(token.windows("t")).containsExactly(WindowKey.of(claims.get(0)), WindowKey.of(claims.get(1)));
        assertThat(ReservationToken.of(ReservationToken.Location.BOTH, NAME, List.of("user:a"), claims))
                .as("Redis may have decided on the period before or after")
                .hasToString("b-" + NAME + "-60-86400@1799971200-86400@1799884800-86400@1800057600");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "r", "r-", "x-" + NAME + "-60", "r-" + NAME, "r-" + NAME + "-0", "r-" + NAME + "-99999999",
            "r-" + NAME + "-60:a", "r-" + NAME + "-60@", "r-" + NAME + "-60@x", "r-" + NAME + "-@60", "r-" + NAME + "-60-",
            "r-{x}" + NAME + "-60"})
    void anythingElseIsNone(String text) {
        assertThat(ReservationToken.parse(text)).isNull();
    }
}
