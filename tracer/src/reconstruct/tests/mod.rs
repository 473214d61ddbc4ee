mod any;
mod build;
mod scenarios;
