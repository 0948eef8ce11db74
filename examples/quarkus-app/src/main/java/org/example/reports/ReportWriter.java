package org.example.reports;

import dev.sluice.api.RateLimited;


import jakarta.enterprise.context.ApplicationScoped;


@ApplicationScoped
public class ReportWriter {

    @RateLimited(limit = 1, window = 3600)
    public String yearly() {
        return "a year";
    }
}
