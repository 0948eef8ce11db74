package dev.sluice.service.llm;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.Identity;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.RejectedCredentialException;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.token.KeySyntax;
import dev.sluice.service.token.OwnCredentials;
import io.vertx.core.http.HttpServerRequest;

/**
 * The different API keys of one request, at most {@value #MAX_KEYS}, {@linkplain KeySyntax normalized}, in the order in which
 * they are looked up: {@code X-API-Key}, {@code Authorization}, {@code x-goog-api-key}, {@code api-key}, {@code ?key=}. A place may have several
 * keys.
 */
final class RequestKeys {

    static final int MAX_KEYS = 4;

    static final String AUTHORIZATION = "Authorization";
    static final String GOOGLE_KEY = "x-goog-api-key";
    static final String QUERY_KEY = "key";
    /** Header of Azure OpenAI. */
    static final String AZURE_KEY = "api-key";

    private enum Place {
        HEADER, BEARER, GOOGLE, AZURE, QUERY
    }

    private static final List<Place> OPENAI = List.of(Place.BEARER, Place.AZURE);
    private static final List<Place> ANTHROPIC = List.of(Place.HEADER, Place.BEARER);
    private static final List<Place> GEMINI = List.of(Place.GOOGLE, Place.QUERY, Place.BEARER);

    private static final class Key {

        private final String text;
        /** Null if it is not a Sluice key. */
        private final Identity owner;
        /** Set of the places that have it, one bit each. */
        private int places;

        Key(String text, Identity owner) {
            this.text = text;
            this.owner = owner;
        }

        boolean isIn(Place place) {
            return (places & 1 << place.ordinal()) != 0;
        }
    }

    private final List<Key> keys = new ArrayList<>(2);
    private final ApiKeyResolver.RequestOwners owners;

    /**
     * Reads the keys of a request. If owners are missing afterwards, they are to be read, and the keys again.
     *
     * @param owners the Sluice keys; null if none is looked up, because a JWT in {@code Authorization} determines the caller
     * @throws CredentialsRejectedException if a key has invalid characters or is too long
     * @throws CallRejectedException if there are too many keys
     */
    RequestKeys(HttpServerRequest request, ApiKeyResolver.RequestOwners owners) {
        this.owners = owners;
        var headers = request.headers();
        headers.getAll(ApiKeyRegistry.HEADER).forEach(value -> add(Place.HEADER, KeySyntax.ofHeader(value)));
        if (owners != null) {
            headers.getAll(AUTHORIZATION).forEach(value -> add(Place.BEARER, KeySyntax.ofAuthorization(value)));
        }
        headers.getAll(GOOGLE_KEY).forEach(value -> add(Place.GOOGLE, KeySyntax.ofHeader(value)));
        headers.getAll(AZURE_KEY).forEach(value -> add(Place.AZURE, KeySyntax.ofHeader(value)));
        var query = request.query();
        if (query != null) {
            for (var part : query.split("&")) {
                ProviderQuery.parameters(part).getOrDefault(QUERY_KEY, List.of())
                        .forEach(value -> add(Place.QUERY, KeySyntax.normalize(value)));
            }
        }
    }

    private void add(Place place, String text) {
        if (text == null || text.isEmpty()) {
            return;
        }
        var key = find(text);
        if (key == null) {
            var owner = owners == null || text.length() > KeySyntax.MAX_LENGTH ? null : owners.find(text).identity();
            if (owner == null && !KeySyntax.isValid(text)) {
                throw new RejectedCredentialException(RejectedCredential.API_KEY_MALFORMED, KeySyntax.RULE);
            }
            if (keys.size() == MAX_KEYS) {
                throw new CallRejectedException(400, "A request must have at most " + MAX_KEYS + " different API keys");
            }
            key = new Key(text, owner);
            keys.add(key);
        }
        key.places |= 1 << place.ordinal();
    }

    private Key find(String text) {
        for (var key : keys) {
            if (key.text.equals(text)) {
                return key;
            }
        }
        return null;
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }

    /** Returns the identity of the first Sluice key; null if there is none. */
    Identity owner() {
        for (var key : keys) {
            if (key.owner != null) {
                return key.owner;
            }
        }
        return null;
    }

    /**
     * Returns the first key in a place used by the provider's SDK that is not a credential of Sluice, valid or not; null if there is
     * none.
     */
    String providerKey(Provider provider, OwnCredentials own) {
        for (var place : places(provider)) {
            for (var key : keys) {
                if (key.owner == null && key.isIn(place) && !own.contains(key.text)) {
                    return key.text;
                }
            }
        }
        return null;
    }

    private static List<Place> places(Provider provider) {
        return switch (provider.type()) {
            case OPENAI -> OPENAI;
            case ANTHROPIC -> ANTHROPIC;
            case GEMINI -> GEMINI;
        };
    }

    /**
     * Returns the number of keys that are attempts at a Sluice key and failed.
     *
     * @param providerKey the key that is forwarded to the provider, which is none of them; null if there is none
     */
    int failures(String providerKey) {
        if (owners == null || !owners.hasKeys()) {
            return 0;
        }
        int failures = 0;
        for (var key : keys) {
            failures += isFailure(key, providerKey) ? 1 : 0;
        }
        return failures;
    }

    /** Returns whether one of the failures precedes the first Sluice key: with another text it would have decided instead. */
    boolean failsBeforeOwner(String providerKey) {
        for (var key : keys) {
            if (key.owner != null) {
                return false;
            }
            if (isFailure(key, providerKey)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isFailure(Key key, String providerKey) {
        return key.owner == null && !key.text.equals(providerKey);
    }
}
