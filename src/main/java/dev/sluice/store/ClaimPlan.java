package dev.sluice.store;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.RandomAccess;

import dev.sluice.redis.HashTags;

/**
 * What one kind of request claims: a list of claims, and all that follows from them, made once for all requests that claim the
 * same.
 */
public final class ClaimPlan extends AbstractList<WindowClaim> implements RandomAccess {

    /** How one kind of question is put to the script: what stands in its arguments for the plan. */
    public record Operation(boolean consume, boolean reserves, List<byte[]> arguments) {
    }

    private final WindowClaim[] claims;
    private final boolean reserved;
    /** What a window's key has before its identifier, and behind. */
    private final String[] keyPrefixes;
    private final String[] keySuffixes;
    private final Operation[] operations = new Operation[3];

    private ClaimPlan(List<WindowClaim> claims) {
        this.claims = claims.toArray(WindowClaim[]::new);
        this.reserved = claims.stream().anyMatch(WindowClaim::reserved);
        this.keyPrefixes = new String[this.claims.length];
        this.keySuffixes = new String[this.claims.length];
        for (int i = 0; i < this.claims.length; i++) {
            keyPrefixes[i] = WindowKeys.windowPrefix(windowSeconds(i));
            keySuffixes[i] = ':' + this.claims[i].resource();
        }
    }

    public static ClaimPlan of(List<WindowClaim> claims) {
        return claims instanceof ClaimPlan plan ? plan : new ClaimPlan(claims);
    }

    private long windowSeconds(int i) {
        return claims[i].span() / 1_000_000;
    }

    @Override
    public WindowClaim get(int index) {
        return claims[index];
    }

    @Override
    public int size() {
        return claims.length;
    }

    /** Whether any of its costs is an estimate, to be settled. */
    public boolean reserved() {
        return reserved;
    }

    /** The keys of an identifier, as the script wants them: the index, the windows, the reservation where there is one. */
    public byte[][] keys(HashTags hashTags, String identifier, String reservation) {
        var tag = hashTags.keyPrefix(identifier);
        var result = new byte[claims.length + (reservation == null ? 1 : 2)][];
        result[0] = bytes(WindowKeys.index(tag, identifier));
        for (int i = 0; i < claims.length; i++) {
            result[i + 1] = bytes(tag + keyPrefixes[i] + identifier.length() + ':' + identifier + keySuffixes[i]);
        }
        if (reservation != null) {
            result[claims.length + 1] = bytes(WindowKeys.reservation(tag, identifier, reservation));
        }
        return result;
    }

    /** @param exactUpTo the largest limit that is counted exactly; the same for all questions */
    public Operation operation(boolean consume, boolean reserves, long exactUpTo) {
        int index = !consume ? 0 : reserves ? 2 : 1;
        var operation = operations[index];
        if (operation == null) {
            operation = new Operation(consume, reserves, arguments(consume, reserves, exactUpTo));
            operations[index] = operation; // made twice, it is the same
        }
        return operation;
    }

    private List<byte[]> arguments(boolean consume, boolean reserves, long exactUpTo) {
        var arguments = new ArrayList<byte[]>(3 + 5 * claims.length);
        arguments.add(bytes(Integer.toString(claims.length)));
        arguments.add(bytes(consume ? "1" : "0"));
        arguments.add(bytes(reserves ? "1" : "0"));
        for (int i = 0; i < claims.length; i++) {
            var claim = claims[i];
            arguments.add(bytes(Long.toString(claim.limit())));
            arguments.add(bytes(Long.toString(claim.span())));
            arguments.add(bytes(Long.toString(claim.cost())));
            arguments.add(bytes(claim.isExact(exactUpTo) ? "log" : claim.reserved() ? "reserved" : "ring"));
            arguments.add(bytes(WindowKeys.windowMember(claim.resource(), windowSeconds(i))));
        }
        return List.copyOf(arguments);
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
