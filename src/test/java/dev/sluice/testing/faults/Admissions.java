package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Computes a lower bound of the maximum number of admissions of an identity in any window. An admission happens between its
 * request and its response, so it counts only if both lie in the window: the result never exceeds the actual number, however
 * busy the machine is.
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
