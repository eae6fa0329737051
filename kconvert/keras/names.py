"""The public names of Keras 2.3.1 and 1.2.2, by module, and their internal modules."""

from __future__ import annotations

KERAS2: dict[str, str] = {
    "activations": (
        "deserialize deserialize_keras_object elu exponential get hard_sigmoid linear relu selu serialize "
        "sigmoid softmax softplus softsign tanh"
    ),
    "applications": (
        "DenseNet121 DenseNet169 DenseNet201 InceptionResNetV2 InceptionV3 MobileNet MobileNetV2 NASNetLarge "
        "NASNetMobile ResNet101 ResNet101V2 ResNet152 ResNet152V2 ResNet50 ResNet50V2 VGG16 VGG19 Xception "
        "keras_modules_injection"
    ),
    "applications.densenet": "DenseNet121 DenseNet169 DenseNet201 decode_predictions preprocess_input",
    "applications.imagenet_utils": "decode_predictions preprocess_input",
    "applications.inception_resnet_v2": "InceptionResNetV2 decode_predictions preprocess_input",
    "applications.inception_v3": "InceptionV3 decode_predictions preprocess_input",
    "applications.mobilenet": "MobileNet decode_predictions preprocess_input",
    "applications.mobilenet_v2": "MobileNetV2 decode_predictions preprocess_input",
    "applications.nasnet": "NASNetLarge NASNetMobile decode_predictions preprocess_input",
    "applications.resnet": "ResNet101 ResNet152 ResNet50 decode_predictions preprocess_input",
    "applications.resnet50": "ResNet50 decode_predictions preprocess_input",
    "applications.resnet_v2": "ResNet101V2 ResNet152V2 ResNet50V2 decode_predictions preprocess_input",
    "applications.vgg16": "VGG16 decode_predictions preprocess_input",
    "applications.vgg19": "VGG19 decode_predictions preprocess_input",
    "applications.xception": "Xception decode_predictions preprocess_input",
    "backend": (
        "abs all any arange argmax argmin backend batch_dot batch_flatten batch_get_value batch_normalization "
        "batch_set_value bias_add binary_crossentropy cast cast_to_floatx categorical_crossentropy "
        "clear_session clip concatenate constant control_dependencies conv1d conv2d conv2d_transpose conv3d "
        "conv3d_transpose cos count_params ctc_batch_cost ctc_decode ctc_label_dense_to_sparse cumprod cumsum "
        "depthwise_conv2d dot dropout dtype eager elu epsilon equal eval exp expand_dims eye flatten floatx "
        "foldl foldr function gather get_session get_uid get_value gradients greater greater_equal "
        "hard_sigmoid identity image_data_format in_test_phase in_top_k in_train_phase int_shape "
        "is_keras_tensor is_placeholder is_sparse is_tensor is_variable l2_normalize learning_phase less "
        "less_equal local_conv1d local_conv2d log logsumexp manual_variable_initialization map_fn max maximum "
        "mean min minimum moving_average_update name_scope ndim normalize_batch_in_training "
        "normalize_data_format not_equal one_hot ones ones_like pattern_broadcast permute_dimensions "
        "placeholder pool2d pool3d pow print_tensor prod random_binomial random_normal random_normal_variable "
        "random_uniform random_uniform_variable relu repeat repeat_elements reset_uids reshape resize_images "
        "resize_volumes reverse rnn round separable_conv1d separable_conv2d set_epsilon set_floatx "
        "set_image_data_format set_learning_phase set_session set_value shape sigmoid sign sin size slice "
        "softmax softplus softsign sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt "
        "square squeeze stack std stop_gradient sum switch symbolic tanh temporal_padding tile to_dense "
        "transpose truncated_normal update update_add update_sub var variable zeros zeros_like"
    ),
    "callbacks": (
        "BaseLogger CSVLogger Callback CallbackList EarlyStopping History LambdaCallback "
        "LearningRateScheduler ModelCheckpoint ProgbarLogger ReduceLROnPlateau RemoteMonitor TensorBoard "
        "TerminateOnNaN"
    ),
    "constraints": (
        "Constraint MaxNorm MinMaxNorm NonNeg UnitNorm deserialize deserialize_keras_object get max_norm "
        "maxnorm min_max_norm non_neg nonneg serialize serialize_keras_object unit_norm unitnorm"
    ),
    "datasets.boston_housing": "load_data",
    "datasets.cifar10": "load_batch load_data",
    "datasets.cifar100": "load_batch load_data",
    "datasets.fashion_mnist": "load_data",
    "datasets.imdb": "get_word_index load_data",
    "datasets.mnist": "load_data",
    "datasets.reuters": "get_word_index load_data",
    "engine": "Input InputLayer InputSpec Layer Model get_source_inputs",
    "initializers": (
        "Constant Identity Initializer Ones Orthogonal RandomNormal RandomUniform TruncatedNormal "
        "VarianceScaling Zeros constant deserialize deserialize_keras_object get glorot_normal glorot_uniform "
        "he_normal he_uniform identity lecun_normal lecun_uniform normal one ones orthogonal random_normal "
        "random_uniform serialize serialize_keras_object truncated_normal uniform zero zeros"
    ),
    "layers": (
        "Activation ActivityRegularization Add AlphaDropout AtrousConvolution1D AtrousConvolution2D Average "
        "AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization "
        "Bidirectional Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D "
        "ConvLSTM2DCell ConvRecurrent2D Convolution1D Convolution2D Convolution3D Cropping1D Cropping2D "
        "Cropping3D CuDNNGRU CuDNNLSTM Deconvolution2D Deconvolution3D Dense DepthwiseConv2D Dot Dropout ELU "
        "Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D "
        "GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D "
        "GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D "
        "GlobalMaxPooling3D Highway Input InputLayer InputSpec LSTM LSTMCell Lambda Layer LeakyReLU "
        "LocallyConnected1D LocallyConnected2D Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D "
        "MaxPooling2D MaxPooling3D Maximum MaxoutDense Minimum Multiply PReLU Permute RNN ReLU Recurrent "
        "RepeatVector Reshape SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax "
        "SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells Subtract ThresholdedReLU "
        "TimeDistributed UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D add "
        "average concatenate deserialize deserialize_keras_object dot maximum minimum multiply serialize "
        "subtract"
    ),
    "losses": (
        "BinaryCrossentropy CategoricalCrossentropy CategoricalHinge Hinge Huber KLD KLDivergence LogCosh "
        "Loss LossFunctionWrapper MAE MAPE MSE MSLE MeanAbsoluteError MeanAbsolutePercentageError "
        "MeanSquaredError MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge "
        "binary_crossentropy categorical_crossentropy categorical_hinge cosine cosine_proximity "
        "cosine_similarity deserialize deserialize_keras_object get hinge huber_loss "
        "is_categorical_crossentropy kld kullback_leibler_divergence logcosh mae mape mean_absolute_error "
        "mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mse msle poisson "
        "serialize serialize_keras_object sparse_categorical_crossentropy squared_hinge"
    ),
    "metrics": (
        "AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy "
        "CategoricalHinge CosineSimilarity FalseNegatives FalsePositives Hinge KLDivergence Layer "
        "LogCoshError MAE MAPE MSE MSLE Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU "
        "MeanMetricWrapper MeanSquaredError MeanSquaredLogarithmicError Metric Poisson Precision Recall "
        "Reduce RootMeanSquaredError SensitivityAtSpecificity SensitivitySpecificityBase "
        "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy "
        "SpecificityAtSensitivity SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives "
        "accuracy binary_accuracy binary_crossentropy categorical_accuracy categorical_crossentropy "
        "categorical_hinge clone_metric clone_metrics cosine cosine_proximity cosine_similarity deserialize "
        "deserialize_keras_object get hinge kullback_leibler_divergence logcosh mae mape mean_absolute_error "
        "mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mse msle poisson "
        "serialize serialize_keras_object sparse_categorical_accuracy sparse_categorical_crossentropy "
        "sparse_top_k_categorical_accuracy squared_hinge top_k_categorical_accuracy"
    ),
    "models": (
        "Input InputLayer Model Sequential clone_model load_model model_from_config model_from_json "
        "model_from_yaml save_model"
    ),
    "objectives": (
        "BinaryCrossentropy CategoricalCrossentropy CategoricalHinge Hinge Huber KLD KLDivergence LogCosh "
        "Loss LossFunctionWrapper MAE MAPE MSE MSLE MeanAbsoluteError MeanAbsolutePercentageError "
        "MeanSquaredError MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge "
        "binary_crossentropy categorical_crossentropy categorical_hinge cosine cosine_proximity "
        "cosine_similarity deserialize deserialize_keras_object get hinge huber_loss "
        "is_categorical_crossentropy kld kullback_leibler_divergence logcosh mae mape mean_absolute_error "
        "mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mse msle poisson "
        "serialize serialize_keras_object sparse_categorical_crossentropy squared_hinge"
    ),
    "optimizers": (
        "Adadelta Adagrad Adam Adamax Nadam Optimizer RMSprop SGD TFOptimizer adadelta adagrad adam adamax "
        "clip_norm deserialize deserialize_keras_object get nadam rmsprop serialize serialize_keras_object "
        "sgd"
    ),
    "preprocessing.image": (
        "DataFrameIterator DirectoryIterator ImageDataGenerator Iterator NumpyArrayIterator "
        "apply_affine_transform apply_brightness_shift apply_channel_shift array_to_img img_to_array load_img "
        "random_brightness random_channel_shift random_rotation random_shear random_shift random_zoom "
        "save_img"
    ),
    "preprocessing.sequence": "TimeseriesGenerator make_sampling_table pad_sequences skipgrams",
    "preprocessing.text": "Tokenizer hashing_trick one_hot text_to_word_sequence tokenizer_from_json",
    "regularizers": (
        "L1L2 Regularizer deserialize deserialize_keras_object get l1 l1_l2 l2 serialize serialize_keras_object"
    ),
    "utils": (
        "CustomObjectScope GeneratorEnqueuer H5Dict HDF5Matrix OrderedEnqueuer Progbar Sequence "
        "convert_all_kernels_in_model custom_object_scope deserialize_keras_object get_custom_objects "
        "get_file get_source_inputs model_to_dot multi_gpu_model normalize plot_model print_summary "
        "serialize_keras_object to_categorical"
    ),
    "utils.conv_utils": (
        "conv_input_length conv_output_length convert_kernel deconv_length normalize_padding normalize_tuple"
    ),
    "utils.data_utils": (
        "GeneratorEnqueuer OrderedEnqueuer Progbar Sequence SequenceEnqueuer _extract_archive _hash_file get_file "
        "get_index init_pool init_pool_generator next_sample validate_file"
    ),
    "utils.generic_utils": (
        "CustomObjectScope Progbar check_for_unexpected_keys custom_object_scope deserialize_keras_object "
        "func_dump func_load get_custom_objects getargspec has_arg is_all_none object_list_uid "
        "serialize_keras_object slice_arrays to_list transpose_shape unpack_singleton"
    ),
    "utils.io_utils": (
        "H5Dict HDF5Matrix ask_to_proceed_with_overwrite h5dict load_from_binary_h5py save_to_binary_h5py"
    ),
    "utils.layer_utils": (
        "convert_all_kernels_in_model convert_dense_weights_data_format convert_kernel count_params "
        "get_source_inputs print_summary"
    ),
    "utils.np_utils": "normalize to_categorical",
    "utils.test_utils": "get_test_data layer_test tf_file_io_proxy",
    "utils.vis_utils": "Model Wrapper add_edge is_model is_wrapped_model model_to_dot plot_model",
    "wrappers.scikit_learn": "BaseWrapper KerasClassifier KerasRegressor Sequential to_categorical",
}
"""2.3.1: module -> its names, separated by spaces."""

KERAS1: dict[str, str] = {
    "activations": "elu get hard_sigmoid linear relu sigmoid softmax softplus softsign tanh",
    "applications": "InceptionV3 ResNet50 VGG16 VGG19 Xception",
    "applications.imagenet_utils": "decode_predictions preprocess_input",
    "applications.inception_v3": "InceptionV3 conv2d_bn decode_predictions preprocess_input",
    "applications.music_tagger_crnn": "MusicTaggerCRNN decode_predictions preprocess_input",
    "applications.resnet50": "ResNet50 conv_block decode_predictions identity_block preprocess_input",
    "applications.vgg16": "VGG16 decode_predictions preprocess_input",
    "applications.vgg19": "VGG19 decode_predictions preprocess_input",
    "applications.xception": "Xception decode_predictions preprocess_input",
    "backend": (
        "Function abs all any arange argmax argmin asymmetric_spatial_2d_padding asymmetric_temporal_padding "
        "atrous_conv2d backend batch_dot batch_flatten batch_get_value batch_normalization batch_set_value "
        "binary_crossentropy cast cast_to_floatx categorical_crossentropy clear_session clip concatenate "
        "conv1d conv2d conv3d cos count_params ctc_batch_cost ctc_cost ctc_create_skip_idxs ctc_decode "
        "ctc_interleave_blanks ctc_label_dense_to_sparse ctc_path_probs ctc_update_log_p deconv2d dot dropout "
        "dtype elu epsilon equal eval exp expand_dims eye flatten floatx foldl foldr function gather "
        "get_session get_uid get_value get_variable_shape gradients greater greater_equal hard_sigmoid "
        "image_dim_ordering in_test_phase in_top_k in_train_phase int_shape is_explicit_shape is_keras_tensor "
        "is_sparse l2_normalize learning_phase legacy_weight_ordering lesser lesser_equal log "
        "manual_variable_initialization map_fn max maximum mean min minimum moving_average_update ndim "
        "normalize_batch_in_training not_equal one_hot ones ones_like pattern_broadcast permute_dimensions "
        "placeholder pool2d pool3d pow print_tensor prod random_binomial random_normal random_normal_variable "
        "random_uniform random_uniform_variable relu repeat repeat_elements reset_uids reshape resize_images "
        "resize_volumes reverse rnn round separable_conv2d set_epsilon set_floatx set_image_dim_ordering "
        "set_learning_phase set_legacy_weight_ordering set_session set_value shape sigmoid sign sin softmax "
        "softplus softsign sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square "
        "squeeze stack std stop_gradient sum switch tanh temporal_padding tf_major_version tf_minor_version "
        "tile to_dense transpose update update_add update_sub var variable zeros zeros_like"
    ),
    "callbacks": (
        "BaseLogger CSVLogger Callback CallbackList EarlyStopping History LambdaCallback "
        "LearningRateScheduler ModelCheckpoint Progbar ProgbarLogger ReduceLROnPlateau RemoteMonitor "
        "TensorBoard"
    ),
    "constraints": "Constraint MaxNorm MinMaxNorm NonNeg UnitNorm get maxnorm nonneg unitnorm",
    "datasets.cifar10": "load_batch load_data",
    "datasets.cifar100": "load_batch load_data",
    "datasets.imdb": "get_word_index load_data",
    "datasets.mnist": "load_data",
    "datasets.reuters": "get_word_index load_data",
    "engine": "Input InputLayer InputSpec Layer Merge Model get_source_inputs merge",
    "engine.training": (
        "GeneratorEnqueuer Model batch_shuffle check_array_lengths check_loss_and_target_compatibility "
        "collect_metrics make_batches slice_X standardize_class_weights standardize_input_data "
        "standardize_sample_or_class_weights standardize_sample_weights standardize_weights "
        "weighted_objective"
    ),
    "initializations": (
        "get get_fans glorot_normal glorot_uniform he_normal he_uniform identity lecun_uniform normal one "
        "orthogonal uniform zero"
    ),
    "layers": (
        "Activation ActivityRegularization AtrousConv1D AtrousConv2D AtrousConvolution1D AtrousConvolution2D "
        "AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional Conv1D Conv2D "
        "Conv3D ConvLSTM2D ConvRecurrent2D Convolution1D Convolution2D Convolution3D Cropping1D Cropping2D "
        "Cropping3D Deconv2D Deconvolution2D Dense Dropout ELU Embedding Flatten GRU GaussianDropout "
        "GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
        "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Highway Input InputLayer InputSpec LSTM "
        "Lambda Layer LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxPooling1D MaxPooling2D "
        "MaxPooling3D MaxoutDense Merge PReLU ParametricSoftplus Permute Recurrent RepeatVector Reshape SReLU "
        "SeparableConv2D SeparableConvolution2D SimpleRNN SpatialDropout1D SpatialDropout2D SpatialDropout3D "
        "ThresholdedReLU TimeDistributed TimeDistributedDense UpSampling1D UpSampling2D UpSampling3D Wrapper "
        "ZeroPadding1D ZeroPadding2D ZeroPadding3D conv_input_length conv_output_length merge "
        "time_distributed_dense"
    ),
    "metrics": (
        "MAE MAPE MSE MSLE binary_accuracy binary_crossentropy categorical_accuracy categorical_crossentropy "
        "cosine cosine_proximity f1score fbeta_score fmeasure fscore get hinge kullback_leibler_divergence "
        "mae mape matthews_correlation mean_absolute_error mean_absolute_percentage_error mean_squared_error "
        "mean_squared_logarithmic_error mse msle poisson precision recall sparse_categorical_accuracy "
        "sparse_categorical_crossentropy squared_hinge top_k_categorical_accuracy"
    ),
    "models": (
        "Layer Merge Model Node Sequential ask_to_proceed_with_overwrite get_source_inputs load_model "
        "model_from_config model_from_json model_from_yaml optimizer_from_config save_model"
    ),
    "objectives": (
        "KLD MAE MAPE MSE MSLE binary_crossentropy categorical_crossentropy cosine cosine_proximity get hinge "
        "kld kullback_leibler_divergence mae mape mean_absolute_error mean_absolute_percentage_error "
        "mean_squared_error mean_squared_logarithmic_error mse msle poisson sparse_categorical_crossentropy "
        "squared_hinge"
    ),
    "optimizers": (
        "Adadelta Adagrad Adam Adamax Nadam Optimizer RMSprop SGD TFOptimizer adadelta adagrad adam adamax "
        "clip_norm get get_custom_objects nadam optimizer_from_config rmsprop sgd"
    ),
    "preprocessing.image": (
        "DirectoryIterator ImageDataGenerator Iterator NumpyArrayIterator apply_transform array_to_img "
        "flip_axis img_to_array list_pictures load_img random_channel_shift random_rotation random_shear "
        "random_shift random_zoom transform_matrix_offset_center"
    ),
    "preprocessing.sequence": "make_sampling_table pad_sequences skipgrams",
    "preprocessing.text": "Tokenizer one_hot text_to_word_sequence",
    "regularizers": (
        "ActivityRegularizer EigenvalueRegularizer L1L2Regularizer Regularizer WeightRegularizer activity_l1 "
        "activity_l1l2 activity_l2 get l1 l1l2 l2"
    ),
    "utils.data_utils": "Progbar get_file validate_file",
    "utils.generic_utils": (
        "CustomObjectScope Progbar custom_object_scope func_dump func_load get_custom_objects get_from_module "
        "make_tuple"
    ),
    "utils.io_utils": "HDF5Matrix ask_to_proceed_with_overwrite load_array save_array",
    "utils.layer_utils": "convert_all_kernels_in_model count_total_params layer_from_config print_summary",
    "utils.np_utils": (
        "accuracy binary_logloss categorical_probas_to_classes conv_input_length conv_output_length "
        "convert_kernel multiclass_logloss normalize probas_to_classes to_categorical"
    ),
    "utils.test_utils": "get_test_data keras_test layer_test",
    "wrappers.scikit_learn": "BaseWrapper KerasClassifier KerasRegressor Sequential to_categorical",
}
"""1.2.2: module -> its names, separated by spaces."""

INTERNAL: dict[str, dict[str, str]] = {
    "2.3.1": {
        "backend.cntk_backend": "",
        "backend.common": "image_dim_ordering set_image_dim_ordering",
        "backend.load_backend": "",
        "backend.numpy_backend": "conv conv_transpose depthwise_conv pool separable_conv to_categorical",
        "backend.tensorflow_backend": "",
        "backend.theano_backend": "",
        "callbacks.tensorboard_v1": "",
        "callbacks.tensorboard_v2": "",
        "datasets.cifar": "load_batch",
        "engine.base_layer": "disable_tracking",
        "engine.network": "ask_to_proceed_with_overwrite",
        "engine.saving": (
            "allow_read_from_gcs allow_write_to_gcs ask_to_proceed_with_overwrite "
            "load_attributes_from_hdf5_group load_model "
            "load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name model_from_config "
            "model_from_json model_from_yaml pickle_model preprocess_weights_for_loading "
            "save_attributes_to_hdf5_group save_model save_weights_to_hdf5_group unpickle_model"
        ),
        "engine.training_arrays": "fit_loop predict_loop test_loop",
        "engine.training_generator": "evaluate_generator fit_generator predict_generator",
        "engine.training_utils": (
            "batch_shuffle call_metric_function check_array_length_consistency check_generator_arguments "
            "check_loss_and_target_compatibility check_num_samples collect_per_output_metric_info "
            "get_input_shape_and_dtype get_loss_function get_metric_function get_metric_name "
            "get_output_sample_weight_and_mode get_static_batch_size is_generator_or_sequence is_sequence "
            "iter_sequence_infinite make_batches prepare_loss_functions prepare_loss_weights "
            "prepare_sample_weights should_run_validation standardize_class_weights "
            "standardize_input_data standardize_sample_or_class_weights standardize_sample_weights "
            "standardize_single_array standardize_weights weighted_masked_objective"
        ),
        "layers.convolutional": "Convolution2DTranspose Deconv2D Deconv3D SeparableConvolution1D",
        "layers.convolutional_recurrent": "ConvRNN2D",
        "layers.wrappers": "Wrapper",
        "legacy": "",
        "legacy.interfaces": (
            "add_weight_args_preprocessing batchnorm_args_preprocessor conv1d_args_preprocessor "
            "conv2d_args_preprocessor conv3d_args_preprocessor convlstm2d_args_preprocessor "
            "deconv2d_args_preprocessor embedding_kwargs_preprocessor generate_legacy_interface "
            "generator_methods_args_preprocessor get_updates_arg_preprocessing legacy_add_weight_support "
            "legacy_batchnorm_support legacy_conv1d_support legacy_conv2d_support legacy_conv3d_support "
            "legacy_convlstm2d_support legacy_cropping2d_support legacy_cropping3d_support "
            "legacy_deconv2d_support legacy_dense_support legacy_dropout_support legacy_embedding_support "
            "legacy_gaussiandropout_support legacy_gaussiannoise_support legacy_generator_methods_support "
            "legacy_get_updates_support legacy_global_pooling_support legacy_input_support "
            "legacy_lambda_support legacy_model_constructor_support legacy_pooling1d_support "
            "legacy_pooling2d_support legacy_pooling3d_support legacy_prelu_support legacy_recurrent_support "
            "legacy_separable_conv2d_support legacy_spatialdropout1d_support legacy_spatialdropoutNd_support "
            "legacy_upsampling1d_support legacy_upsampling2d_support legacy_upsampling3d_support "
            "legacy_zeropadding2d_support legacy_zeropadding3d_support raise_duplicate_arg_error "
            "recurrent_args_preprocessor separable_conv2d_args_preprocessor zeropadding2d_args_preprocessor"
        ),
        "legacy.layers": ("AtrousConvolution1D AtrousConvolution2D ConvRecurrent2D Highway MaxoutDense Recurrent"),
        "utils.losses_utils": (
            "Reduction broadcast_weights compute_weighted_loss reduce_weighted_loss squeeze_or_expand_dimensions"
        ),
        "utils.metrics_utils": (
            "AUCCurve AUCSummationMethod ConfusionMatrix Reduction assert_thresholds_range filter_top_k "
            "parse_init_thresholds result_wrapper to_list update_confusion_matrix_variables "
            "update_state_wrapper weighted_assign_add"
        ),
        "utils.multi_gpu_utils": "multi_gpu_model",
    },
    "1.2.2": {
        "applications.audio_conv_utils": "decode_predictions preprocess_input",
        "backend.common": "legacy_weight_ordering set_legacy_weight_ordering",
        "backend.tensorflow_backend": "",
        "backend.theano_backend": "",
        "datasets.cifar": "load_batch",
        "engine.topology": "Container Node object_list_uid to_list",
        "utils.visualize_util": "model_to_dot plot",
    },
}
"""By release: modules that the documentation of Keras does not have -> the names that the module above them lacks.

Those that are useful for models of kconvert exist; the others raise KconvertError.
"""
