package org.example.reports;

import static io.restassured.RestAssured.get;

import org.junit.jupiter.api.Test;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

@QuarkusTest
@TestProfile(Unlimited.class)
class UnlimitedTest {

    @Test
    void nothingIsLimited() {
        for (int i = 0; i < 20; i++) {
            get("/reports").then().statusCode(200);
        }
    }
}
