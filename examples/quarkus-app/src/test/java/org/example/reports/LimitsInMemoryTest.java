package org.example.reports;

import dev.sluice.api.RateLimitAdmin;

import static io.restassured.RestAssured.get;

import java.time.Duration;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.common.annotation.Identifier;

@QuarkusTest
@TestProfile(LimitsInMemory.class)
class LimitsInMemoryTest {

    @Inject
    @Identifier("rate-limit")
    TestClock clock;
    @Inject
    RateLimitAdmin admin;

    @BeforeEach
    void resetWindows() {
        admin.resetAll().await().atMost(Duration.ofSeconds(30));
    }

    @Test
    void sixthRequestOfAMinuteIsDenied() {
        for (int i = 0; i < 5; i++) {
            get("/reports").then().statusCode(200);
        }
        get("/reports").then().statusCode(429).header("Retry-After", "60");

        clock.advance(Duration.ofMinutes(1));

        get("/reports").then().statusCode(200);
    }

    @Test
    void windowsOfOtherTestsAreEmpty() {
        get("/reports").then().statusCode(200).header("X-RateLimit-Remaining", "4");
    }
}
