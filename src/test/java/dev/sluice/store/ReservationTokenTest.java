package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReservationTokenTest {

    private static final String NAME = "0123456789abcdef0123456789abcdef";

    private static List<WindowKey> windows(long... seconds) {
        return Arrays.stream(seconds).mapToObj(length -> new WindowKey("", length * 1_000_000)).toList();
    }

    @Test
    void isReadAsItIsWritten() {
        var reservation = new ReservationToken(ReservationToken.Location.REDIS, NAME, windows(60, 2_678_400));
        assertThat(reservation).hasToString("r-" + NAME + "-60-2678400");
        assertThat(ReservationToken.parse(reservation.toString())).isEqualTo(reservation);
        assertThat(ReservationToken.parse("m-" + NAME + "-1"))
                .isEqualTo(new ReservationToken(ReservationToken.Location.MEMORY, NAME, windows(1)));
        assertThat(ReservationToken.parse("b-" + NAME + "-1").location()).isEqualTo(ReservationToken.Location.BOTH);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "r", "r-", "x-" + NAME + "-60", "r-" + NAME, "r-" + NAME + "-0", "r-" + NAME + "-99999999",
            "r-" + NAME + "-60:a", "r-" + NAME + "-60-", "r-{x}" + NAME + "-60"})
    void anythingElseIsNone(String text) {
        assertThat(ReservationToken.parse(text)).isNull();
    }
}
