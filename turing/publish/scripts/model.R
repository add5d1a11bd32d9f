# A mixed model of the choices that are counted: participants and photos crossed, logit link.
# Rscript analysis/model.R (from anywhere); needs the package lme4.
# Prints the share of right choices of each cell, then the model of each dataset and of all.

library(lme4)

arguments <- commandArgs(trailingOnly = FALSE)
script <- sub("^--file=", "", grep("^--file=", arguments, value = TRUE))
here <- if (length(script)) dirname(normalizePath(script)) else "analysis"
trials <- read.csv(file.path(here, "..", "data", "trials_data.csv"),
                   colClasses = "character", encoding = "UTF-8")
choices <- trials[trials$counted == "true", ]
if (nrow(choices) == 0) {
  cat("no choice is counted: there is nothing to model\n")
  quit(status = 0)
}
protocol <- choices$protocol[1]
choices$photo <- paste(choices$dataset, choices$photo, sep = "/")
choices$correct <- as.integer(choices$correct == "true")
choices$choice <- as.integer(choices$choice)

# Marginal mean of a level of the linear predictor: over people and photos, by Gaussian noise.
marginal <- function(eta, sd) {
  integrate(function(x) plogis(eta + sd * x) * dnorm(x), -8, 8)$value
}

fit <- function(formula, of, name) {
  cat("\n==", name, "\n")
  model <- glmer(formula, data = of, family = binomial,
                 control = glmerControl(optimizer = "bobyqa"))
  print(summary(model)$coefficients)
  print(VarCorr(model))
  model
}

# Every two models: the difference of their log odds, with Holm's p-values.
compare <- function(model) {
  b <- fixef(model)
  v <- as.matrix(vcov(model))
  keep <- which(names(b) != "modeloriginal")
  if (length(keep) < 2) return(invisible())
  at <- combn(keep, 2)
  i <- at[1, ]
  j <- at[2, ]
  difference <- b[i] - b[j]
  se <- sqrt(v[cbind(i, i)] + v[cbind(j, j)] - 2 * v[cbind(i, j)])
  p <- 2 * pnorm(-abs(difference / se))
  print(data.frame(a = sub("^model", "", names(b)[i]), b = sub("^model", "", names(b)[j]),
                   difference = difference, se = se, p_value = p,
                   p_holm = p.adjust(p, "holm")), row.names = FALSE)
}

if (protocol == "preference") {
  # Bradley-Terry with crossed people and photos: +1 for the left model, -1 for the right one.
  # Choice 2 found both alike, which a binomial model has no place for (figures.py has Davidson's).
  alike <- choices$choice == 2
  if (any(alike)) cat(sum(alike), "of", length(alike), "found both alike and are left out\n")
  choices <- choices[!alike, ]
  models <- sort(unique(c(choices$left, choices$right)))
  design <- sapply(models, function(m) (choices$left == m) - (choices$right == m))
  design <- as.data.frame(design[, -length(models), drop = FALSE])
  names(design) <- paste0("score", seq_along(design))
  cat("scores are of", paste(models[-length(models)], collapse = ", "),
      "against", models[length(models)], "\n")
  choices <- cbind(choices, design)
  choices$chose_left <- 1 - choices$choice
  terms <- paste(c("1", names(design)), collapse = " + ")
  fit(as.formula(paste("chose_left ~", terms, "+ (1 | participant_id) + (1 | photo)")),
      choices, "all datasets")
} else {
  scored <- choices
  if (protocol == "single") {
    # Of all models alike: an original alone has none.
    scored$model[scored$model == ""] <- "original"
  }
  by_dataset <- aggregate(correct ~ dataset + model, data = scored, FUN = mean)
  whole <- aggregate(correct ~ model, data = scored, FUN = mean)
  if (protocol == "single") {
    # The turing fraction: half the colorized pictures that were told, half the originals.
    half <- function(table, keys) {
      originals <- table[table$model == "original", ]
      table <- table[table$model != "original", ]
      at <- if ("dataset" %in% keys) match(table$dataset, originals$dataset) else 1
      table$correct <- (table$correct + originals$correct[at]) / 2
      table
    }
    by_dataset <- half(by_dataset, "dataset")
    whole <- half(whole, character())
  }
  names(by_dataset)[3] <- names(whole)[2] <- "turing_fraction"
  print(by_dataset)
  print(whole)
  for (name in c(unique(scored$dataset), "all datasets")) {
    of <- if (name == "all datasets") scored else scored[scored$dataset == name, ]
    if (length(unique(of$model)) < 1 || length(unique(of$correct)) < 2) next
    terms <- if (length(unique(of$model)) > 1) "0 + model" else "1"
    random <- "+ (1 | participant_id) + (1 | photo)"
    model <- fit(as.formula(paste("correct ~", terms, random)), of, name)
    sd <- sqrt(sum(sapply(VarCorr(model), function(v) v[1])))
    cat("marginal means:\n")
    print(sapply(fixef(model), marginal, sd = sd))
    compare(model)
  }
}
