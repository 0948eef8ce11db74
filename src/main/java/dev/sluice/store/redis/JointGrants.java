package dev.sluice.store.redis;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/**
 * Grants of the requests of several identifiers in one reply, which are reported once for each identifier: requests of one call have
 * identifiers in common, those of a team or an organisation. Not thread-safe.
 */
final class JointGrants {

    /** Equal grants of one identifier. */
    private static final class Grant {

        private final List<WindowClaim> claims;
        private final StoreResult result;
        private int count = 1;

        Grant(List<WindowClaim> claims, StoreResult result) {
            this.claims = claims;
            this.result = result;
        }
    }

    private final GrantRecorder recorder;
    private final Map<String, Grant> grants = new HashMap<>();

    JointGrants(GrantRecorder recorder) {
        this.recorder = recorder;
    }

    /**
     * Adds a grant of one identifier.
     *
     * @param claims what was taken
     * @param reservation null if nothing is reserved; otherwise the grant is reported at once
     */
    void add(String identifier, List<WindowClaim> claims, StoreResult result, String reservation) {
        if (reservation != null) {
            recorder.onGranted(identifier, claims, result, reservation, 1);
            return;
        }
        var found = grants.get(identifier);
        if (found != null && found.claims == claims && found.result.now() == result.now()) {
            found.count++;
            return;
        }
        if (found != null) {
            report(identifier, found);
        }
        grants.put(identifier, new Grant(claims, result));
    }

    /** Reports the grants that are not reported yet. */
    void report() {
        grants.forEach(this::report);
        grants.clear();
    }

    private void report(String identifier, Grant grant) {
        recorder.onGranted(identifier, grant.claims, grant.result, null, grant.count);
    }
}
