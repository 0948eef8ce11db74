package dev.sluice.redis;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Key prefixes with hash tags: the configured prefix, and in braces one of 256 tags, chosen by the identifier. All keys of one
 * identifier are thus in one slot of a Redis Cluster, and keys of one tag can be used in one call. Identifiers that are decided
 * together have one tag: {@code rls:<domain>:…} that of their domain, and {@code chain:<length>:<root><identifier>} that of the root.
 */
public final class HashTags {

    /** Number of hash tags. */
    public static final int TAGS = 256;

    /** Prefix of identifiers of which the part up to the next colon determines the tag. */
    private static final String FAMILY_PREFIX = "rls:";
    /** Prefix of the identifiers of a chain, see {@link #inSlotOf}. */
    private static final String CHAIN_PREFIX = "chain:";
    private static final String HASH = "HmacSHA256";

    private final String prefix;
    private final String[] tags = new String[TAGS];
    /** Null if no hash key is configured. */
    private final SecretKeySpec hashKey;
    private final ThreadLocal<Mac> mac = ThreadLocal.withInitial(this::newMac);

    public HashTags(String prefix) {
        this(prefix, null);
    }

    /**
     * @param hashKey secret shared by all instances: callers that do not know it cannot choose identifiers that share a hash tag, and
     *        so one slot of a cluster; null if there is none
     */
    public HashTags(String prefix, String hashKey) {
        this.prefix = prefix;
        this.hashKey = hashKey == null ? null : new SecretKeySpec(hashKey.getBytes(StandardCharsets.UTF_8), HASH);
        for (int i = 0; i < TAGS; i++) {
            tags[i] = prefix + ":{" + Integer.toHexString(TAGS + i).substring(1) + "}:";
        }
    }

    /** Returns the prefix of an identifier's keys, up to and including a colon. */
    public String keyPrefix(String identifier) {
        return tags[tag(identifier)];
    }

    /** Returns the number of an identifier's tag, 0 to 255. */
    public int tag(String identifier) {
        var root = root(identifier);
        return hashKey == null
                ? root.hashCode() * 0x9E3779B9 >>> 24
                : mac.get().doFinal(root.getBytes(StandardCharsets.UTF_8))[0] & 0xff;
    }

    /**
     * Returns the name under which the windows of an identifier are stored in the slot of another one, the root of its chain.
     *
     * @param root the identifier that determines the hash tag
     */
    public static String inSlotOf(String root, String identifier) {
        return identifier.equals(root) ? identifier : CHAIN_PREFIX + root.length() + ':' + root + identifier;
    }

    /** Returns an identifier without the root of its chain. */
    public static String withoutRoot(String stored) {
        int start = rootStart(stored);
        return start < 0 ? stored : stored.substring(start + rootLength(stored, start));
    }

    /** Returns the root of a chain in whose slot an identifier is stored; null if it is stored in its own. */
    public static String rootOf(String stored) {
        int start = rootStart(stored);
        return start < 0 ? null : stored.substring(start, start + rootLength(stored, start));
    }

    /** Returns where the root of a chain begins; -1 if this is not an identifier of a chain. */
    private static int rootStart(String identifier) {
        if (!identifier.startsWith(CHAIN_PREFIX)) {
            return -1;
        }
        int start = identifier.indexOf(':', CHAIN_PREFIX.length()) + 1;
        int digits = start - 1 - CHAIN_PREFIX.length();
        if (digits < 1 || digits > 3) {
            return -1;
        }
        for (int i = CHAIN_PREFIX.length(); i < start - 1; i++) {
            if (identifier.charAt(i) < '0' || identifier.charAt(i) > '9') {
                return -1;
            }
        }
        return start + rootLength(identifier, start) < identifier.length() ? start : -1;
    }

    private static int rootLength(String identifier, int start) {
        return Integer.parseInt(identifier, CHAIN_PREFIX.length(), start - 1, 10);
    }

    private static String root(String identifier) {
        var chainRoot = rootOf(identifier);
        if (chainRoot != null) {
            return root(chainRoot);
        }
        int colon = identifier.startsWith(FAMILY_PREFIX) ? identifier.indexOf(':', FAMILY_PREFIX.length()) : -1;
        return colon < 0 ? identifier : identifier.substring(0, colon);
    }

    private Mac newMac() {
        try {
            var mac = Mac.getInstance(HASH);
            mac.init(hashKey);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every Java platform has HmacSHA256
        }
    }

    /** Returns the prefix of a tag's keys. */
    public String keyPrefix(int tag) {
        return tags[tag];
    }

    /** Returns a key that belongs to no identifier. */
    public String globalKey(String name) {
        return prefix + ':' + name;
    }

    /** Returns the glob pattern of keys whose tag is followed by one of these letters and a colon. */
    public String pattern(String letters) {
        return escape(prefix) + ":{[0-9a-f][0-9a-f]}:[" + letters + "]:*";
    }

    private static String escape(String glob) {
        var escaped = new StringBuilder();
        for (char c : glob.toCharArray()) {
            if ("*?[]\\".indexOf(c) >= 0) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }
}
