package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The most that any identity was surely admitted in any window, placed anywhere. An admission lies somewhere between request
 * and answer, so only those count of which both lie in the window: never more than there were, whatever the machine's load.
 */
final class Admissions {

    private Admissions() {
    }

    static int most(Collection<Sample> samples, Duration window) {
        var byIdentity = samples.stream().filter(Sample::admitted).collect(Collectors.groupingBy(Sample::identity));
        return byIdentity.values().stream().mapToInt(admitted -> mostOfOne(admitted, window.toNanos())).max().orElse(0);
    }

    private static int mostOfOne(List<Sample> admitted, long window) {
        int most = 0;
        for (var first : admitted) { // a fullest window can be moved until it begins with a request
            long start = first.sent();
            most = Math.max(most, (int) admitted.stream()
                    .filter(sample -> sample.sent() - start >= 0 && sample.received() - start < window).count());
        }
        return most;
    }
}
