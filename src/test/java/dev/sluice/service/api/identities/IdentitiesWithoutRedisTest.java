package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.IdentitiesWithoutRedisProfile;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Without Redis, identities are neither read nor changed. */
@QuarkusTest
@TestProfile(IdentitiesWithoutRedisProfile.class)
class IdentitiesWithoutRedisTest extends HttpTestBase {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {"GET|/v1/keys|", "GET|/v1/keys/abc|", "POST|/v1/keys|{}",
            "PATCH|/v1/keys/abc|{}", "DELETE|/v1/keys/abc|", "POST|/v1/keys/abc/rotate|{}", "GET|/v1/users|",
            "PUT|/v1/teams/a|{}", "DELETE|/v1/orgs/a?cascade=true|", "GET|/v1/audit|", "GET|/v1/export|",
            "POST|/v1/import|{\"kind\":\"user\",\"name\":\"a\",\"document\":{}}"})
    void callsAreUnavailable(String method, String path, String body) {
        var response = http.send(method, path, body, "Authorization", "Bearer admin-secret");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(HttpTestClient.error(response).getString("code")).isEqualTo("RATE_5002");
    }

    @Test
    void mistakesAreStillNamed() {
        var response = http.send("POST", "/v1/keys", "{\"tier\":\"gold\"}", "Authorization", "Bearer admin-secret");
        assertThat(response.statusCode()).isEqualTo(400);
    }
}
