# frozen_string_literal: true

module Api
  module V2
    class MediaController < Api::V1::MediaController
    end
  end
end
