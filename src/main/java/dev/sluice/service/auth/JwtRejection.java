package dev.sluice.service.auth;

import java.util.List;
import java.util.Set;

import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.ErrorCodes;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.lang.InvalidAlgorithmException;
import org.jose4j.lang.InvalidKeyException;
import org.jose4j.lang.UnresolvableKeyException;

import dev.sluice.identity.RejectedCredential;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;

/**
 * Reason for which a JWT does not verify.
 *
 * @param credential the reason
 * @param detail parameters of the log line that explain it; values of the token are bounded, and contain no control characters
 */
record JwtRejection(RejectedCredential credential, String detail) {

    private static final int MAX_LENGTH = 100;
    /** Message code of SmallRye JWT: the age exceeds {@code mp.jwt.verify.token.age}. */
    private static final String TOO_OLD = "SRJWT07018";
    private static final List<Integer> MISSING = List.of(ErrorCodes.EXPIRATION_MISSING, ErrorCodes.ISSUED_AT_MISSING,
            ErrorCodes.SUBJECT_MISSING, ErrorCodes.NOT_BEFORE_MISSING, ErrorCodes.JWT_ID_MISSING);

    /**
     * Determines the reason.
     *
     * @param failure failure of the verification; null if it is not known
     * @param token the token
     * @param settings settings of the verification
     */
    static JwtRejection of(ParseException failure, String token, JWTAuthContextInfo settings) {
        var cause = failure == null ? null : failure.getCause();
        if (cause instanceof InvalidJwtException invalid) {
            return ofInvalid(invalid, token, settings);
        }
        if (cause instanceof UnresolvableKeyException) {
            return ofKey(token, settings);
        }
        if (failure != null && failure.getMessage() != null && failure.getMessage().startsWith(TOO_OLD)) {
            return new JwtRejection(RejectedCredential.JWT_TOO_OLD, "mp.jwt.verify.token.age=" + settings.getTokenAge());
        }
        return new JwtRejection(RejectedCredential.JWT_OTHER, failure == null ? "" : "message=" + quote(failure.getMessage()));
    }

    private static JwtRejection ofInvalid(InvalidJwtException invalid, String token, JWTAuthContextInfo settings) {
        var claims = invalid.getJwtContext() == null ? null : invalid.getJwtContext().getJwtClaims();
        if (invalid.hasErrorCode(ErrorCodes.SIGNATURE_INVALID) || invalid.hasErrorCode(ErrorCodes.SIGNATURE_MISSING)) {
            return new JwtRejection(RejectedCredential.JWT_SIGNATURE, "alg=" + quote(CompactJws.algorithm(token)) + " kid="
                    + quote(CompactJws.keyId(token)));
        }
        if (invalid.hasExpired()) {
            return new JwtRejection(RejectedCredential.JWT_EXPIRED, "exp=" + claim(claims, "exp"));
        }
        if (invalid.hasErrorCode(ErrorCodes.NOT_YET_VALID) || invalid.hasErrorCode(ErrorCodes.ISSUED_AT_INVALID_FUTURE)) {
            return new JwtRejection(RejectedCredential.JWT_NOT_YET_VALID, "nbf=" + claim(claims, "nbf"));
        }
        if (invalid.hasErrorCode(ErrorCodes.ISSUER_INVALID) || invalid.hasErrorCode(ErrorCodes.ISSUER_MISSING)) {
            return new JwtRejection(RejectedCredential.JWT_ISSUER, "iss=" + claim(claims, "iss") + " mp.jwt.verify.issuer="
                    + settings.getIssuedBy());
        }
        if (invalid.hasErrorCode(ErrorCodes.AUDIENCE_INVALID) || invalid.hasErrorCode(ErrorCodes.AUDIENCE_MISSING)) {
            return new JwtRejection(RejectedCredential.JWT_AUDIENCE, "aud=" + claim(claims, "aud")
                    + " rate-limit.jwt.audience=" + settings.getExpectedAudience());
        }
        if (MISSING.stream().anyMatch(invalid::hasErrorCode) || invalid.getErrorDetails().isEmpty()) {
            return new JwtRejection(RejectedCredential.JWT_MISSING_CLAIM, "required=" + required(settings, claims));
        }
        if (invalid.hasErrorCode(ErrorCodes.MISCELLANEOUS)) {
            return ofCause(invalid.getCause(), token, settings);
        }
        return new JwtRejection(RejectedCredential.JWT_MALFORMED, "");
    }

    private static JwtRejection ofCause(Throwable cause, String token, JWTAuthContextInfo settings) {
        if (cause instanceof UnresolvableKeyException) {
            return ofKey(token, settings);
        }
        if (cause instanceof InvalidAlgorithmException || cause instanceof InvalidKeyException) {
            return ofAlgorithm(token, settings);
        }
        // jose4j has no cause if the token is well-formed, such as for an expiration before the time of issue.
        return new JwtRejection(cause == null ? RejectedCredential.JWT_OTHER : RejectedCredential.JWT_MALFORMED, "");
    }

    /** No key is found for an unexpected algorithm either. */
    private static JwtRejection ofKey(String token, JWTAuthContextInfo settings) {
        var algorithm = CompactJws.algorithm(token);
        return settings.getSignatureAlgorithm().stream().map(SignatureAlgorithm::getAlgorithm).anyMatch(
                expected -> expected.equals(algorithm))
                        ? new JwtRejection(RejectedCredential.JWT_UNKNOWN_KEY, "kid=" + quote(CompactJws.keyId(token)))
                        : ofAlgorithm(token, settings);
    }

    private static JwtRejection ofAlgorithm(String token, JWTAuthContextInfo settings) {
        return new JwtRejection(RejectedCredential.JWT_ALGORITHM, "alg=" + quote(CompactJws.algorithm(token))
                + " mp.jwt.verify.publickey.algorithm="
                + settings.getSignatureAlgorithm().stream().map(SignatureAlgorithm::getAlgorithm).sorted().toList());
    }

    /** Names what is required, if it cannot be determined what is missing. */
    private static String required(JWTAuthContextInfo settings, JwtClaims claims) {
        var configured = settings.getRequiredClaims() == null ? Set.<String>of() : settings.getRequiredClaims();
        try {
            if (claims != null && claims.getExpirationTime() == null) {
                return "exp";
            }
        } catch (MalformedClaimException e) {
            return "exp";
        }
        return configured.isEmpty() ? "sub" : configured.toString();
    }

    private static String claim(JwtClaims claims, String name) {
        var value = claims == null ? null : claims.getClaimValue(name);
        return value instanceof Number ? value.toString() : quote(value == null ? null : value.toString());
    }

    /** Returns a text of a token as it may be logged: bounded, and printable characters only. */
    static String quote(String text) {
        if (text == null) {
            return "none";
        }
        var printable = new StringBuilder("\"");
        int end = Math.min(text.length(), MAX_LENGTH);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            printable.append(
                    c >= ' ' && c < 0x7F && c != '"' && c != '\\' || c > 0xA0 && Character.isLetterOrDigit(c) ? c : '?');
        }
        return printable.append(end < text.length() ? "..." : "").append('"').toString();
    }
}
