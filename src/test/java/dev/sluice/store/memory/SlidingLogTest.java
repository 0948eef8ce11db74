package dev.sluice.store.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log of entries with any number of units behaves as a list with the time of every unit. */
class SlidingLogTest {

    private static final long SPAN = 60_000_000;

    /** The model: the time of every unit, ascending. */
    private static final class Units {

        private final List<Long> times = new ArrayList<>();

        void insert(long time, long units) {
            int position = times.size();
            while (position > 0 && times.get(position - 1) > time) {
                position--;
            }
            for (long i = 0; i < units; i++) {
                times.add(position, time);
            }
        }

        boolean remove(long time, long units) {
            if (times.stream().filter(other -> other == time).count() < units) {
                return false;
            }
            for (long i = 0; i < units; i++) {
                times.remove(Long.valueOf(time));
            }
            return true;
        }

        void advance(long now) {
            times.removeIf(time -> time <= now - SPAN);
        }

        void shiftBack(long micros) {
            times.replaceAll(time -> time - micros);
        }

        String text() {
            var counts = new TreeMap<Long, Integer>();
            times.forEach(time -> counts.merge(time, 1, Integer::sum));
            return String.join(",", counts.entrySet().stream().map(entry -> entry.getKey() + ":" + entry.getValue()).toList());
        }
    }

    private static String text(SlidingWindow window) {
        var text = new StringBuilder();
        window.appendTo(text);
        return text.toString();
    }

    /** @param single units of most entries are 1 */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anySequenceOfOperationsIsExact(boolean single) {
        for (int seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            var log = new SlidingLog(SPAN);
            var units = new Units();
            long now = 1_800_000_000_000_000L;
            for (int i = 0; i < 300; i++) {
                now += random.nextInt(8) == 0 ? random.nextInt((int) SPAN) : random.nextInt(3);
                int count = single && random.nextInt(50) > 0 ? 1 : 1 + random.nextInt(20);
                log.advance(now);
                units.advance(now);
                switch (random.nextInt(10)) {
                    case 0 -> {
                        long earlier = anyTime(units, random, now);
                        log.insert(earlier, count);
                        units.insert(earlier, count);
                    }
                    case 1 -> {
                        long time = anyTime(units, random, now);
                        assertThat(log.remove(time, count)).isEqualTo(units.remove(time, count));
                    }
                    case 2 -> {
                        long micros = random.nextInt(1000);
                        log.shiftBack(micros, Long.MIN_VALUE);
                        units.shiftBack(micros);
                        now -= micros;
                    }
                    default -> {
                        log.add(now, count);
                        units.insert(now, count);
                    }
                }
                assertEqual(log, units, random, now);
            }
        }
    }

    private static long anyTime(Units units, Random random, long now) {
        return units.times.isEmpty() || random.nextInt(4) == 0
                ? now - random.nextInt((int) SPAN)
                : units.times.get(random.nextInt(units.times.size()));
    }

    private static void assertEqual(SlidingLog log, Units units, Random random, long now) {
        assertThat(text(log)).isEqualTo(units.text());
        assertThat(log.used()).isEqualTo(units.times.size());
        if (units.times.isEmpty()) {
            assertThat(log.newest()).isEqualTo(Long.MIN_VALUE);
            return;
        }
        assertThat(log.newest()).isEqualTo(units.times.get(units.times.size() - 1));
        int needed = 1 + random.nextInt(units.times.size());
        assertThat(log.freeAt(needed)).isEqualTo(units.times.get(needed - 1) + SPAN);

        long since = anyTime(units, random, now);
        var rest = new Units();
        units.times.stream().filter(time -> time >= since).forEach(time -> rest.insert(time, 1));
        assertThat(text(log.since(since))).isEqualTo(rest.text());

        var less = new SlidingLog(SPAN);
        var difference = new Units();
        difference.times.addAll(units.times);
        for (int i = 0; i < 5; i++) {
            long time = anyTime(units, random, now);
            int count = 1 + random.nextInt(3);
            less.insert(time, count);
            for (int j = 0; j < count; j++) {
                difference.times.remove(Long.valueOf(time));
            }
        }
        assertThat(text(log.without(less))).isEqualTo(difference.text());

        var counter = new SlidingWindowCounter(SPAN);
        var expected = new SlidingWindowCounter(SPAN);
        log.copyTo(counter, now);
        units.times.forEach(time -> expected.insert(time, 1));
        assertThat(text(counter)).isEqualTo(text(expected));
        assertThat(counter.used()).isEqualTo(expected.used());
    }

    @Test
    void numberOfUnitsDoesNotDetermineTheSize() {
        var log = new SlidingLog(SPAN);
        log.add(1, 1_000_000_000_000L);
        log.add(2, 1);
        log.insert(1, 1_000_000_000_000L);
        assertThat(log.used()).isEqualTo(2_000_000_000_001L);
        assertThat(log.weight()).isLessThanOrEqualTo(8);
        assertThat(log.freeAt(2_000_000_000_000L)).isEqualTo(1 + SPAN);
        assertThat(log.freeAt(2_000_000_000_001L)).isEqualTo(2 + SPAN);
    }

    @Test
    void memoryIsReleasedWhenUnitsHaveLeft() {
        var log = new SlidingLog(SPAN);
        for (int i = 0; i < 10_000; i++) {
            log.add(i, 1);
        }
        assertThat(log.weight()).as("a unit takes eight bytes").isLessThanOrEqualTo(16_384);
        log.advance(SPAN + 9_990);
        log.add(SPAN + 9_990, 1);
        assertThat(log.used()).isEqualTo(10);
        assertThat(log.weight()).isLessThanOrEqualTo(64);
    }
}
