//! Ridge regression through linfa: least squares on standardised rows, augmented by
//! `sqrt(lambda)` times the identity, which has the ridge solution as its own.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// Fitted coefficients on raw features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ridge {
    intercept: f64,
    coefficients: Vec<f64>,
}

/// Rows of features with their targets.
#[derive(Default)]
pub(crate) struct Rows {
    features: Vec<f64>,
    targets: Vec<f64>,
}

impl Rows {
    pub(crate) fn push(&mut self, features: &[f64], target: f64) {
        self.features.extend_from_slice(features);
        self.targets.push(target);
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    fn width(&self) -> usize {
        self.features.len() / self.targets.len().max(1)
    }

    pub(crate) fn row(&self, index: usize) -> &[f64] {
        let width = self.width();
        &self.features[index * width..(index + 1) * width]
    }

    pub(crate) fn target(&self, index: usize) -> f64 {
        self.targets[index]
    }
}

impl Ridge {
    /// Fits on the first `count` rows; `None` when they do not determine finite coefficients.
    pub(crate) fn fit(rows: &Rows, count: usize, lambda: f64) -> Option<Self> {
        let width = rows.width();
        if count <= width || width == 0 {
            return None;
        }
        let (means, scales) = moments(rows, count);
        let target_mean = rows.targets[..count].iter().sum::<f64>() / count as f64;
        let mut matrix = Array2::<f64>::zeros((count + width, width));
        let mut targets = Array1::<f64>::zeros(count + width);
        for index in 0..count {
            for (column, value) in rows.row(index).iter().enumerate() {
                matrix[[index, column]] = (value - means[column]) / scales[column];
            }
            targets[index] = rows.targets[index] - target_mean;
        }
        for column in 0..width {
            matrix[[count + column, column]] = lambda.sqrt();
        }
        let model = LinearRegression::new()
            .with_intercept(false)
            .fit(&Dataset::new(matrix, targets))
            .ok()?;
        let coefficients: Vec<f64> = model
            .params()
            .iter()
            .zip(&scales)
            .map(|(weight, scale)| weight / scale)
            .collect();
        let shift: f64 = coefficients
            .iter()
            .zip(&means)
            .map(|(weight, mean)| weight * mean)
            .sum();
        let fitted = Self {
            intercept: target_mean - shift,
            coefficients,
        };
        fitted.is_finite().then_some(fitted)
    }

    /// The value predicted for one row.
    pub(crate) fn predict(&self, row: &[f64]) -> f64 {
        let product: f64 = self
            .coefficients
            .iter()
            .zip(row)
            .map(|(weight, value)| weight * value)
            .sum();
        self.intercept + product
    }

    fn is_finite(&self) -> bool {
        self.intercept.is_finite() && self.coefficients.iter().all(|weight| weight.is_finite())
    }
}

/// Mean and spread of every column; a constant column gets spread 1, so that it stays zero.
fn moments(rows: &Rows, count: usize) -> (Vec<f64>, Vec<f64>) {
    let width = rows.width();
    let mut means = vec![0.0; width];
    let mut squares = vec![0.0; width];
    for index in 0..count {
        for (column, value) in rows.row(index).iter().enumerate() {
            means[column] += value / count as f64;
        }
    }
    for index in 0..count {
        for (column, value) in rows.row(index).iter().enumerate() {
            squares[column] += (value - means[column]).powi(2) / count as f64;
        }
    }
    let scales = squares
        .iter()
        .map(|square| if *square > 1e-12 { square.sqrt() } else { 1.0 });
    (means, scales.collect())
}
