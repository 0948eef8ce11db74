package dev.sluice.service.overview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.service.traffic.RuleCounts;
import dev.sluice.service.traffic.RuleTier;
import dev.sluice.service.traffic.TrafficCounts;
import dev.sluice.service.traffic.TrafficHistory;
import dev.sluice.service.traffic.TrafficMinute;

/** Decisions per second from successive readings. */
class LiveFiguresTest {

    private final LiveFigures figures = new LiveFigures();

    private static TrafficMinute minute(long number, long allowed, long denied) {
        var counts = new TrafficCounts();
        counts.rules().put(new RuleTier("api:default", "free"), new RuleCounts(allowed, denied, 0));
        counts.latencies().put(1_000_000L, allowed + denied);
        return new TrafficMinute(number, counts);
    }

    private static TrafficHistory at(long millis, boolean all, TrafficMinute... minutes) {
        return new TrafficHistory(millis, all, List.of(minutes), Map.of());
    }

    @Test
    void firstReadingHasNoRate() {
        assertThat(figures.add(at(1000, true, minute(0, 10, 0), minute(1, 5, 0)))).isNull();
    }

    @Test
    void rateIsTheMeanOfTheLastReadings() {
        figures.add(at(1000, true, minute(0, 10, 0), minute(1, 5, 0)));
        assertThat(figures.add(at(2000, true, minute(0, 10, 0), minute(1, 15, 2))).allowed()).isEqualTo(10);
        var mean = figures.add(at(3000, true, minute(0, 10, 0), minute(1, 15, 4)));
        assertThat(mean.allowed()).isEqualTo(5);
        assertThat(mean.denied()).isEqualTo(2);
        assertThat(mean.p50Nanos()).isBetween(1L, 1_000_000L);
    }

    @Test
    void minuteThatEndsIsNotLost() {
        figures.add(at(59_500, true, minute(-1, 7, 0), minute(0, 10, 0)));
        var next = figures.add(at(60_500, true, minute(0, 14, 0), minute(1, 3, 0)));
        assertThat(next.allowed()).isCloseTo(7, within(0.001));
    }

    @Test
    void readingOfTheSameTimeChangesNothing() {
        figures.add(at(1000, true, minute(0, 0, 0)));
        figures.add(at(2000, true, minute(0, 8, 0)));
        assertThat(figures.add(at(2000, true, minute(0, 8, 0))).allowed()).isEqualTo(8);
    }

    @Test
    void countsOfOneInstanceAreNotComparedWithThoseOfAll() {
        figures.add(at(1000, true, minute(0, 1000, 0)));
        assertThat(figures.add(at(2000, false, minute(0, 3, 0)))).isNull();
        assertThat(figures.add(at(3000, false, minute(0, 4, 0))).allowed()).isEqualTo(1);
    }

    @Test
    void queriesAreNoDecisions() {
        figures.add(at(1000, true, minute(0, 0, 0)));
        var queried = minute(0, 0, 0);
        queried.counts().latencies().put(1_000_000L, 5L);
        assertThat(figures.add(at(2000, true, queried)).p50Nanos()).isNull();
    }
}
