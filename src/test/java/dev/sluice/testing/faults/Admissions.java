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

    static int max(Collection<Sample> samples, Duration window) {
        var byIdentity = samples.stream().filter(Sample::admitted).collect(Collectors.groupingBy(Sample::identity));
        return byIdentity.values().stream().mapToInt(admitted -> maxOfIdentity(admitted, window.toNanos())).max().orElse(0);
    }

    private static int maxOfIdentity(List<Sample> admitted, long window) {
        int most = 0;
        for (var first : admitted) { // a fullest window can be moved until it begins with a request
            long start = first.sentNanos();
            most = Math.max(most, (int) admitted.stream()
                    .filter(sample -> sample.sentNanos() - start >= 0 && sample.receivedNanos() - start < window).count());
        }
        return most;
    }
}
