package dev.sluice.http;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.text.PercentEncoding;

/**
 * Members of the fields {@code RateLimit-Policy} and {@code RateLimit} of a decision: one for each quota with a window, or of requests in flight, which has
 * none. If a field would
 * be longer than {@value #MAX_LENGTH} characters, which the header buffers of proxies (4 KB in nginx) do not have room for, it has those
 * that fit of the exceeded quotas, and then of those of which the most is used. Immutable.
 *
 * @param policy value of {@code RateLimit-Policy}
 * @param state value of {@code RateLimit}
 */
record StandardMembers(String policy, String state) {

    static final int MAX_LENGTH = 1500;

    private static final String SEPARATOR = ", ";
    private static final Comparator<QuotaStatus> MOST_RELEVANT_FIRST = Comparator
            .comparing((QuotaStatus quota) -> !quota.denied())
            .thenComparingDouble(quota -> (double) quota.remaining() / quota.limit());

    static StandardMembers of(Decision decision) {
        var names = PolicyNames.of(decision.quotas());
        var all = of(decision, names, null);
        return all.policy().length() <= MAX_LENGTH && all.state().length() <= MAX_LENGTH
                ? all
                : of(decision, names, fitting(decision, names));
    }

    /** @param selected indexes of the quotas; null for all */
    private static StandardMembers of(Decision decision, List<String> names, BitSet selected) {
        var policy = new StringBuilder(64 * names.size());
        var state = new StringBuilder(64 * names.size());
        for (int i = 0; i < names.size(); i++) {
            var quota = decision.quotas().get(i);
            if (!isMember(quota) || selected != null && !selected.get(i)) {
                continue;
            }
            if (!policy.isEmpty()) {
                policy.append(SEPARATOR);
                state.append(SEPARATOR);
            }
            append(policy, state, decision, quota, names.get(i));
        }
        return new StandardMembers(policy.toString(), state.toString());
    }

    /** Returns whether a quota has a member: {@code Rate.BLOCKED} has neither a window nor slots. */
    private static boolean isMember(QuotaStatus quota) {
        return quota.window().toSeconds() > 0 || quota.unit() == QuotaUnit.CONCURRENT_REQUESTS;
    }

    private static BitSet fitting(Decision decision, List<String> names) {
        var quotas = decision.quotas();
        var order = new ArrayList<Integer>();
        for (int i = 0; i < quotas.size(); i++) {
            if (isMember(quotas.get(i))) {
                order.add(i);
            }
        }
        order.sort(Comparator.comparing(quotas::get, MOST_RELEVANT_FIRST));
        var selected = new BitSet();
        int policyLength = 0;
        int stateLength = 0;
        for (int index : order) {
            var policy = new StringBuilder();
            var state = new StringBuilder();
            append(policy, state, decision, quotas.get(index), names.get(index));
            int nextPolicy = policyLength + policy.length() + SEPARATOR.length();
            int nextState = stateLength + state.length() + SEPARATOR.length();
            if (nextPolicy <= MAX_LENGTH && nextState <= MAX_LENGTH) {
                selected.set(index);
                policyLength = nextPolicy;
                stateLength = nextState;
            }
        }
        return selected;
    }

    private static void append(StringBuilder policy, StringBuilder state, Decision decision, QuotaStatus quota, String name) {
        int start = policy.length();
        appendString(policy, name);
        state.append(policy, start, policy.length());
        policy.append(";q=").append(structuredInteger(quota.limit()));
        if (quota.unit() != QuotaUnit.CONCURRENT_REQUESTS) {
            policy.append(";w=").append(quota.window().toSeconds());
        }
        if (quota.unit() != QuotaUnit.REQUESTS) {
            policy.append(";qu=\"").append(quota.unit().name().toLowerCase(Locale.ROOT).replace('_', '-')).append('"');
        }
        state.append(";r=").append(structuredInteger(quota.remaining()));
        if (quota.resetAt().isPresent()) {
            state.append(";t=").append(secondsBetween(decision.decidedAt(), quota.resetAt().get()));
        }
    }

    /** Returns whether no quota has a window. */
    boolean isEmpty() {
        return policy.isEmpty();
    }

    /** Limits a number to the 15 digits that an integer of RFC 9651 can have. */
    private static long structuredInteger(long units) {
        return Math.min(units, 999_999_999_999_999L);
    }

    /** Returns the whole seconds from one instant to another, rounded up, at least 0. */
    private static long secondsBetween(Instant from, Instant to) {
        return Math.max(0, to.getEpochSecond() - from.getEpochSecond() + (to.getNano() > from.getNano() ? 1 : 0));
    }

    /** Appends a string of RFC 9651. Characters that it cannot contain are percent-encoded. */
    private static void appendString(StringBuilder target, String text) {
        target.append('"');
        for (int i = 0; i < text.length(); i++) {
            int codePoint = text.codePointAt(i);
            if (Character.isSurrogate((char) codePoint) && codePoint <= Character.MAX_VALUE) {
                codePoint = '?'; // half of a pair
            }
            if (codePoint < ' ' || codePoint >= 0x7f) {
                for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
                    PercentEncoding.append(target, b);
                }
                i += Character.charCount(codePoint) - 1;
                continue;
            }
            if (codePoint == '"' || codePoint == '\\') {
                target.append('\\');
            }
            target.append((char) codePoint);
        }
        target.append('"');
    }
}
