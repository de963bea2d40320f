"""The files beside a load test's JSON: JUnit XML, Markdown, and one page of HTML with plots."""
