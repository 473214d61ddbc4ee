mod any;
mod build;
mod inner;
mod lengths;
mod measured;
mod scenarios;
