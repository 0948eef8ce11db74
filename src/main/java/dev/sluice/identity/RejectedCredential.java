package dev.sluice.identity;

/**
 * Kind of a credential that was rejected, and the reason. The set is bounded: both are tags of the metric
 * {@code rate_limit_credentials_rejected}. Internal.
 */
public enum RejectedCredential {

    /** No API key has this hash, or it is disabled, expired or rotated out. */
    API_KEY_UNKNOWN("api_key", "unknown"),
    /** The text cannot be an API key: too long, or with characters that keys do not have. */
    API_KEY_MALFORMED("api_key", "malformed"),
    /** The LLM gateway needs a key, and the request has none. */
    API_KEY_MISSING("api_key", "missing"),
    /** The token is not that of the administrative endpoints. */
    ADMIN_TOKEN_UNKNOWN("admin_token", "unknown"),
    /** The token is that of the decision endpoints. */
    ADMIN_TOKEN_NOT_PERMITTED("admin_token", "not_permitted"), ADMIN_TOKEN_MISSING("admin_token", "missing"),
    /** The token is not that of the decision endpoints. */
    API_TOKEN_UNKNOWN("api_token", "unknown"), API_TOKEN_MISSING("api_token", "missing"),
    /** The provider responded with 401 to the caller's own key. */
    PROVIDER_KEY_REFUSED("provider_key", "refused"), JWT_EXPIRED("jwt", "expired"),
    /** The time of {@code nbf} has not come. */
    JWT_NOT_YET_VALID("jwt", "not_yet_valid"),
    /** {@code iat} is longer ago than the maximum age. */
    JWT_TOO_OLD("jwt", "too_old"), JWT_SIGNATURE("jwt", "signature"), JWT_ISSUER("jwt", "issuer"), JWT_AUDIENCE("jwt",
            "audience"),
    /** {@code alg} is not an expected algorithm, or does not fit the key. */
    JWT_ALGORITHM("jwt", "algorithm"),
    /** The token, or the field that carries it, is not well-formed. */
    JWT_MALFORMED("jwt", "malformed"),
    /** A required claim is missing. */
    JWT_MISSING_CLAIM("jwt", "missing_claim"),
    /** A claim that names a team or an organisation has several values, or is no name. */
    JWT_INVALID_CLAIM("jwt", "invalid_claim"),
    /** No key has the {@code kid} of the token. */
    JWT_UNKNOWN_KEY("jwt", "unknown_key"),
    /** The keys cannot be fetched: 503 instead of 401. */
    JWT_KEYS_UNAVAILABLE("jwt", "keys_unavailable"), JWT_OTHER("jwt", "other"),
    /** Rejected by an application's own identity resolver or authentication. */
    OTHER("other", "other");

    private final String kind;
    private final String reason;

    RejectedCredential(String kind, String reason) {
        this.kind = kind;
        this.reason = reason;
    }

    /** Returns the kind, as in the tag of the metric. */
    public String kind() {
        return kind;
    }

    /** Returns the reason, as in the tag of the metric. */
    public String reason() {
        return reason;
    }
}
