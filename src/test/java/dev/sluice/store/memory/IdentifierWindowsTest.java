package dev.sluice.store.memory;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;

/** The memory and the number of an identifier's windows. */
class IdentifierWindowsTest {

    private static final long SECOND = 1_000_000;

    private long now = 1_800_000_000_000_000L;

    private static long recomputed(IdentifierWindows windows) {
        return windows.windows().windows().stream().mapToLong(StoredWindow::bytes).sum();
    }

    @Test
    void countedMemoryIsTheMemoryOfAllWindows() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            var windows = new IdentifierWindows(StoreUnderTest.EXACT, 1 + random.nextInt(40));
            for (int i = 0; i < 400; i++) {
                now += random.nextInt(10) == 0 ? random.nextInt((int) (200 * SECOND)) : random.nextInt((int) SECOND);
                operate(windows, random, i);
                assertThat(windows.windows().bytes()).as("seed %d, operation %d", seed, i).isEqualTo(recomputed(windows));
            }
            long withUnsynced = windows.bytes();
            var unsynced = windows.drainUnsynced();
            if (unsynced != null) {
                assertThat(withUnsynced - windows.bytes()).isEqualTo(unsynced.bytes());
                long counted = unsynced.bytes();
                unsynced.measure();
                assertThat(unsynced.bytes()).isEqualTo(counted);
            }
        }
    }

    private void operate(IdentifierWindows windows, Random random, int number) {
        var claims = new ArrayList<WindowClaim>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            long seconds = new long[]{1, 10, 60, 3600}[random.nextInt(4)];
            var resource = "resource" + i + "-" + random.nextInt(8);
            claims.add(random.nextInt(4) == 0
                    ? tokens(resource, seconds, 100_000, 1 + random.nextInt(1000))
                    : claim(resource, seconds, random.nextInt(4) == 0 ? 20_000 : 10_000,
                            random.nextInt(3) == 0 ? 1 + random.nextInt(9000) : 1));
        }
        var reservation = "r" + number;
        switch (random.nextInt(16)) {
            case 0 -> windows.reset(random.nextInt(4) == 0 ? null : claims.get(0).resource());
            case 1 -> windows.settle("r" + random.nextInt(number + 1), Map.of(claims.get(0).resource(), 5L), now);
            case 2 -> windows.markUnsyncedSince(now - 30 * SECOND, now - 30 * SECOND, now);
            case 3 -> windows.level(now, random.nextInt(StoredWindow.FULL + 1));
            case 4 -> windows.record(claims, new StoreResult(true, now - random.nextInt(1000), null), reservation, 2);
            case 5 -> now -= random.nextInt((int) (5 * SECOND));
            case 6 -> {
                var unsynced = windows.drainUnsynced();
                if (unsynced != null) {
                    windows.restoreUnsynced(unsynced, random.nextBoolean(), now);
                }
            }
            default -> {
                var result = windows.take(claims, now, random.nextInt(10) > 0, reservation);
                if (result.admitted() && random.nextInt(3) == 0) {
                    windows.moveGrant(claims, result.now(), result.now() - random.nextInt(1000));
                    windows.addUnsynced(claims, result.now(), reservation);
                }
            }
        }
    }

    @Test
    void costDoesNotDetermineTheSize() {
        var windows = new IdentifierWindows(StoreUnderTest.EXACT, 1000);
        var claims = new ArrayList<WindowClaim>();
        for (int i = 0; i < 8; i++) {
            claims.add(claim("r", 2_678_400 - i, 10_000, 10_000));
        }
        assertThat(windows.take(claims, now, true, null).admitted()).isTrue();
        assertThat(windows.bytes()).isLessThan(4096);
    }

    @Test
    void changeOfFormLeavesNoMoreThanTheSubWindows() {
        var windows = new IdentifierWindows(StoreUnderTest.EXACT, 1000);
        for (int i = 0; i < 9_000; i++) {
            now += 1000;
            assertThat(windows.take(List.of(claim("r", 60, 10_000, 1)), now, true, null).admitted()).isTrue();
        }
        for (int i = 0; i < 20; i++) {
            long limit = i % 2 == 0 ? 10_001 : 10_000;
            var result = windows.take(List.of(claim("r", 60, limit, 1)), now, true, null);
            assertThat(result.windows()[0].used()).isEqualTo(9_001 + i);
            assertThat(windows.bytes()).isLessThan(4096);
        }
    }

    /** The maximum holds, and each denial has the time from which on its windows may be opened. */
    @Test
    void numberOfWindowsIsBounded() {
        int max = 20;
        var windows = new IdentifierWindows(StoreUnderTest.EXACT, max);
        var random = new Random(1);
        int denied = 0;
        for (int i = 0; i < 5_000; i++) {
            now += random.nextInt((int) SECOND);
            var claims = new ArrayList<WindowClaim>();
            for (int j = 1 + random.nextInt(3); j > 0; j--) {
                claims.add(claim(j + "-" + random.nextInt(30), 1 + random.nextInt(3), 1000, 1));
            }
            if (random.nextInt(1000) == 0) {
                now -= 3600 * SECOND;
            }
            var result = windows.take(claims, now, true, null);
            assertThat(windows.windows().windows()).hasSizeLessThanOrEqualTo(max);
            if (!result.admitted()) {
                denied++;
                long room = 0;
                for (var window : result.windows()) {
                    room = Math.max(room, window.retryAt());
                    assertThat(window.retryAt()).isIn(0L, window.freeAt());
                }
                assertThat(room).isBetween(now + 1, now + 8 * SECOND);
                assertThat(windows.take(claims, room - 1, true, null).admitted()).isFalse();
                boolean allMissing = Arrays.stream(result.windows()).allMatch(window -> window.retryAt() > 0);
                assertThat(windows.take(claims, room, true, null).admitted() || !allMissing).isTrue();
                now = room;
            }
        }
        assertThat(denied).isGreaterThan(100);
    }
}
