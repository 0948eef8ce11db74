package dev.sluice.service.llm;

import dev.sluice.identity.Identity;
import dev.sluice.identity.Sha256;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.redis.HashTags;

/**
 * A caller's own key for a provider, which is the caller's only identity.
 *
 * @param sha256 SHA-256 of the normalized key, in hexadecimal
 */
record ProviderKey(Provider provider, String sha256) {

    static ProviderKey of(Provider provider, String key) {
        return new ProviderKey(provider, Sha256.hex(key));
    }

    /** Returns the identity {@code key:<sha256>}, which calls are counted and booked for once the key is proven. */
    Identity identity() {
        return new Identity(Identity.keyIdentifier(sha256), Identity.Source.API_KEY, null);
    }

    /** Returns the name of the marker in Redis, {@code sluice:{3f}:k:openai:<sha256>}, in the slot of the key's windows. */
    String marker(HashTags hashTags) {
        return hashTags.keyPrefix(Identity.keyIdentifier(sha256)) + "k:" + provider.id() + ':' + sha256;
    }
}
